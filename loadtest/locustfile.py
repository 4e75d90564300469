"""For people who know Locust: ``locust -f loadtest/locustfile.py --host grpc://127.0.0.1:8001``."""

from alphacut_loadtest.generator.locustfile import GrpcArrivals, GrpcCaller, HttpArrivals, HttpCaller, Plan

__all__ = ["GrpcArrivals", "GrpcCaller", "HttpArrivals", "HttpCaller", "Plan"]
