"""LitServe with its batching on: `litserve_server.py PORT WORKERS BATCH WAIT_S`."""

from __future__ import annotations

import sys

import litserve
from classifier import load_pipeline


class Classify(litserve.LitAPI):
    def setup(self, device) -> None:
        self.classify = load_pipeline()

    def decode_request(self, request) -> str:
        return request["text"]

    def predict(self, texts):
        if isinstance(texts, str):
            return self.classify(texts)[0]
        return self.classify(list(texts), batch_size=len(texts))

    def encode_response(self, output) -> dict:
        return output


if __name__ == "__main__":
    port, workers, batch, wait_s = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    api = Classify(max_batch_size=batch, batch_timeout=wait_s)
    server = litserve.LitServer(api, accelerator="cpu", devices=1, workers_per_device=workers)
    server.run(host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, log_level="warning")
