# SPDX-License-Identifier: LGPL-2.1-or-later
"""GET /metrics: what Prometheus reads, with its own parser, agrees with what the rest of the interface says."""

import gzip

import pytest

from support import net_spec, poll, sim_section

parser = pytest.importorskip("prometheus_client.parser", reason="Debian: python3-prometheus-client")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    def __init__(self, client):
        answer = client.get("/metrics").expect(200)
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        self.families = {family.name: family for family in parser.text_string_to_metric_families(answer.body.decode())}
        self.samples = [sample for family in self.families.values() for sample in family.samples]
        assert len({(s.name, *sorted(s.labels.items())) for s in self.samples}) == len(self.samples), "no sample comes twice"
        assert all(family.documentation and family.type != "unknown" for family in self.families.values())

    def get(self, name, **labels):
        """The one sample of that name that has these labels."""
        values = [s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items()]
        assert len(values) == 1, (name, labels, values)
        return values[0]

    def has(self, name, **labels):
        return any(s.name == name and labels.items() <= s.labels.items() for s in self.samples)


def test_agree_with_the_rest(make_daemon):
    client = make_daemon(sim_section("sim0", max_devices=5) + sim_section("sim1", msis=64)).start()
    for n in range(3):
        client.create(f"d{n}", net_spec())
    client.delete("d1").expect(204)
    client.request("PATCH", "/v1/mgmtdevs/sim1", {"cordoned": True}).expect(200)
    metrics, host = Metrics(client), client.host()
    assert metrics.get("hsvdpa_info", version=host["version"], backend="sim") == 1
    assert metrics.get("hsvdpa_ready") == metrics.get("hsvdpa_host_available") == metrics.get("hsvdpa_store_writable") == 1
    assert metrics.get("hsvdpa_backend_stuck") == metrics.get("hsvdpa_operations") == 0
    assert metrics.get("hsvdpa_operations_max") == host["limits"]["max_operations"]
    assert metrics.get("hsvdpa_devices_max") == host["limits"]["max_devices"]
    for state in ("reserved", "creating", "ready", "deleting", "failed", "lost"):
        assert metrics.get("hsvdpa_devices", state=state) == host["devices"][state]
    for mgmtdev in client.get("/v1/mgmtdevs").expect(200).json["items"]:
        handle = mgmtdev["handle"]
        assert metrics.get("hsvdpa_mgmtdev_present", mgmtdev=handle) == 1
        assert metrics.get("hsvdpa_mgmtdev_cordoned", mgmtdev=handle) == (handle == "sim1")
        assert metrics.get("hsvdpa_mgmtdev_foreign_devices", mgmtdev=handle) == 0
        for resource, budget in mgmtdev["budgets"].items():
            for state in ("reserved", "used", "quarantined", "free"):
                labels = {"mgmtdev": handle, "resource": resource, "state": state}
                if budget[state] is None:
                    assert state == "free" and not metrics.has("hsvdpa_mgmtdev_budget", **labels)
                else:
                    assert metrics.get("hsvdpa_mgmtdev_budget", **labels) == budget[state]


def test_handles_are_escaped(make_daemon):
    handle = 'a"b\\c'
    assert Metrics(make_daemon(sim_section(handle)).start()).get("hsvdpa_mgmtdev_present", mgmtdev=handle) == 1


def test_requests_are_counted(client):
    client.create("d", net_spec())
    client.put("d", net_spec(mtu=9000)).expect(409)
    client.get("/v1/devices/none").expect(404)
    client.get("/nowhere").expect(404)
    metrics = Metrics(client)
    puts = {"method": "PUT", "route": "/v1/devices/{name}"}
    assert metrics.get("hsvdpa_http_requests_total", **puts, code="2xx") == 1
    assert metrics.get("hsvdpa_http_requests_total", **puts, code="4xx") == 1
    assert metrics.get("hsvdpa_http_requests_total", method="GET", route="/v1/devices/{name}", code="4xx") == 1
    assert metrics.get("hsvdpa_http_requests_total", method="", route="", code="4xx") == 1
    assert metrics.get("hsvdpa_http_problems_total", code="not-found") == 1
    assert metrics.get("hsvdpa_http_problems_total", code="device-not-found") == 1
    assert not metrics.has("hsvdpa_http_requests_total", route="/v1/pools/{name}:claim")
    again = Metrics(client)
    assert again.get("hsvdpa_http_requests_total", route="/metrics", code="2xx") == 1
    assert again.get("process_cpu_seconds_total") >= metrics.get("process_cpu_seconds_total") > 0
    assert again.get("process_resident_memory_bytes") > 1 << 20


def test_times_are_those_of_the_requests(make_daemon):
    client = make_daemon(sim_section("sim0", latency_create_usec=60000)).start()
    for n in range(3):
        client.create(f"d{n}", net_spec())
    metrics = Metrics(client)
    puts = {"method": "PUT", "route": "/v1/devices/{name}"}
    buckets = [(float(s.labels["le"]), s.value) for s in metrics.samples
               if s.name == "hsvdpa_http_request_seconds_bucket" and puts.items() <= s.labels.items()]
    assert buckets == sorted(buckets) and [n for _, n in buckets] == sorted(n for _, n in buckets)
    assert buckets[-1] == (float("inf"), 3) and metrics.get("hsvdpa_http_request_seconds_count", **puts) == 3
    assert dict(buckets)[0.05] == 0 and metrics.get("hsvdpa_http_request_seconds_sum", **puts) >= 0.18


def test_pools(client):
    client.put_pool("web", {"device": {"class": "net"}, "low": 2, "high": 4})
    client.wait_for_pool("web", 4)
    client.claim("web").expect(201)
    poll("a free device less", lambda: client.pool("web")["status"]["free"] == 3)
    metrics = Metrics(client)
    status = client.pool("web")["status"]
    assert metrics.get("hsvdpa_pool_free", pool="web") == status["free"] == 3
    assert metrics.get("hsvdpa_pool_making", pool="web") == 0
    assert metrics.get("hsvdpa_pool_low", pool="web") == 2
    assert metrics.get("hsvdpa_pool_claims_total", pool="web") == 1
    assert metrics.get("hsvdpa_pool_misses_total", pool="web") == metrics.get("hsvdpa_pool_returns_total", pool="web") == 0


def test_compressed(client):
    """As Prometheus asks for it."""
    answer = client.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"}).expect(200)
    assert answer.headers["Content-Encoding"] == "gzip" and answer.headers["Content-Type"] == CONTENT_TYPE
    assert "Accept-Encoding" in answer.headers["Vary"]
    text = gzip.decompress(answer.body).decode()
    assert {f.name for f in parser.text_string_to_metric_families(text)} == set(Metrics(client).families)
    assert len(answer.body) < len(text) / 3


def test_refused(client):
    client.get("/metrics", x=1).expect(400)
    client.request("POST", "/metrics", {}).expect(405)
