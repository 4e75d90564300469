"""The dashboard of the service: objectives, traffic, errors, the way in."""

from __future__ import annotations

from panels import Board, Panel, Query

_IMAGES = 'route=~"/remove|/api/remove|/v1.0/removebg"'


def _quantiles(histogram: str, labels: str = "") -> tuple[Query, ...]:
    return tuple(
        Query(
            f"histogram_quantile({q}, sum by (le) (rate({histogram}_bucket{{{labels}}}[$__rate_interval])))",
            f"p{round(100 * q)}",
        )
        for q in (0.5, 0.95, 0.99)
    )


def _burn(ratio: str, budget: float) -> tuple[Query, ...]:
    return tuple(
        Query(f"alphacut:{ratio}:ratio_rate{window} / {budget}", window) for window in ("5m", "1h", "6h", "3d")
    )


_BURN_ABOUT = "1 uses up the month's budget in a month. At 14.4 over an hour, and 6 over six hours, somebody is woken."

SERVICE = Board(
    "alphacut-service",
    "Alphacut: service",
    (
        (
            "Objectives",
            (
                Panel("Failed requests, as burn of the budget", "short", _burn("failed", 0.001), _BURN_ABOUT),
                Panel("Answers over a second, as burn of the budget", "short", _burn("slow", 0.01), _BURN_ABOUT),
                Panel(
                    "Alerts",
                    "short",
                    (
                        Query(
                            'sum by (alertname, severity) (ALERTS{alertstate="firing"})',
                            "{{alertname}} ({{severity}})",
                            "trouble",
                        ),
                    ),
                ),
            ),
        ),
        (
            "Traffic",
            (
                Panel(
                    "Requests with images",
                    "reqps",
                    (
                        Query(
                            'sum by (route) (rate(alphacut_gateway_requests_total{method="POST"}[$__rate_interval]))',
                            "{{route}}",
                        ),
                    ),
                ),
                Panel("Latency", "s", _quantiles("alphacut_gateway_request_seconds", _IMAGES)),
                Panel("Under way", "short", (Query("sum by (instance) (alphacut_gateway_in_flight)", "{{instance}}"),)),
                Panel(
                    "Stages, mean",
                    "s",
                    (
                        Query(
                            "sum by (stage) (rate(alphacut_gateway_stage_seconds_sum[$__rate_interval]))"
                            " / (sum by (stage) (rate(alphacut_gateway_stage_seconds_count[$__rate_interval])) > 0)",
                            "{{stage}}",
                        ),
                    ),
                    "Waiting for a thread counts.",
                ),
                Panel(
                    "Stages, p95",
                    "s",
                    (
                        Query(
                            "histogram_quantile(0.95,"
                            " sum by (stage, le) (rate(alphacut_gateway_stage_seconds_bucket[$__rate_interval])))",
                            "{{stage}}",
                        ),
                    ),
                ),
                Panel(
                    "Masks that were known already",
                    "percentunit",
                    (
                        Query(
                            "sum by (found) (rate(alphacut_gateway_masks_total[$__rate_interval]))"
                            " / on () group_left () (sum (rate(alphacut_gateway_masks_total[$__rate_interval])) > 0)",
                            "{{found}}",
                        ),
                    ),
                ),
            ),
        ),
        (
            "Errors",
            (
                Panel(
                    "Answers by status",
                    "reqps",
                    (Query("sum by (status) (rate(alphacut_gateway_requests_total[$__rate_interval]))", "{{status}}"),),
                ),
                Panel(
                    "Errors by reason",
                    "reqps",
                    (Query("sum by (code) (rate(alphacut_gateway_errors_total[$__rate_interval]))", "{{code}}"),),
                ),
                Panel(
                    "Smaller tiers under load",
                    "reqps",
                    (
                        Query(
                            "sum by (requested, mode) (rate(alphacut_gateway_stepped_down_total[$__rate_interval]))",
                            "{{requested}} -> {{mode}}",
                            "trouble",
                        ),
                        Query("sum(rate(alphacut_gateway_redis_failures_total[$__rate_interval]))", "Redis failures"),
                    ),
                ),
            ),
        ),
        (
            "The way in",
            (
                Panel(
                    "Refused by Envoy for the rate",
                    "reqps",
                    (
                        Query(
                            "sum by (envoy_local_http_ratelimit_prefix)"
                            " (rate(envoy_http_local_rate_limit_rate_limited[$__rate_interval]))",
                            "{{envoy_local_http_ratelimit_prefix}}",
                        ),
                    ),
                ),
                Panel(
                    "Replicas in use",
                    "short",
                    (
                        Query("envoy_cluster_membership_healthy", "{{envoy_cluster_name}}"),
                        Query("envoy_cluster_membership_total", "{{envoy_cluster_name}} of"),
                    ),
                ),
                Panel(
                    "Envoy's connections, memory and certificates",
                    "short",
                    (
                        Query("sum(envoy_http_downstream_cx_active)", "connections"),
                        Query("envoy_server_memory_allocated / 2^20", "MiB"),
                        Query("envoy_server_days_until_first_cert_expiring", "days left to a certificate"),
                    ),
                ),
            ),
        ),
    ),
)
