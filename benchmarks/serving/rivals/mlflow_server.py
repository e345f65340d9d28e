"""MLflow: `mlflow_server.py FOLDER` saves the model that `mlflow models serve -m FOLDER` serves. It has no batching."""

from __future__ import annotations

import sys

import mlflow


class Classify(mlflow.pyfunc.PythonModel):
    def load_context(self, context) -> None:
        from classifier import load_pipeline

        self.classify = load_pipeline()

    def predict(self, context, model_input: list[str]) -> list[dict]:
        return self.classify(model_input, batch_size=max(1, len(model_input)))


if __name__ == "__main__":
    mlflow.pyfunc.save_model(sys.argv[1], python_model=Classify(), pip_requirements=[])
