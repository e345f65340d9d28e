"""FastAPI around transformers.pipeline, as most write it: `uvicorn fastapi_server:app`. RIVAL_KIND says whether the
endpoint is `def`, which runs in a pool of threads, or `async`, which runs alone.
"""

from __future__ import annotations

import os

from classifier import load_pipeline
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
classify = load_pipeline()


class Asked(BaseModel):
    text: str


if os.environ["RIVAL_KIND"] == "async":

    @app.post("/predict")
    async def predict(asked: Asked) -> dict:
        return classify(asked.text)[0]

else:

    @app.post("/predict")
    def predict_in_pool(asked: Asked) -> dict:
        return classify(asked.text)[0]
