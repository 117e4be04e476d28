#!/usr/bin/env python3
"""Holds the files under deploy/ to their schemas, to each other and to the server.

    python3 Tools/deployment.py                 from an environment with Tools/requirements-deployment.txt: `make deploy-check`
    python3 Tools/deployment.py --crds FOLDER   holds kinds that Kubernetes itself does not have to the definitions (*.yaml) in there, too

Where promtool, haproxy, kubectl or a built revq-server are missing, what wants them is passed over, and said.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import jsonschema
import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
RULES = DEPLOY / "prometheus" / "revq.rules.yml"
# The oldest that has every field in use, and the newest that there are schemas of.
VERSIONS = ("1.33", "1.37")
# Custom resources, by the operator that defines them.
CUSTOM = {"InferenceService", "MPIJob", "PodMonitor", "PrometheusRule", "ServingRuntime"}
# The server's --drain-timeout, which no file here sets.
DRAIN_TIMEOUT_SECONDS = 25
METRIC = re.compile(r"\b(?:revq|process)_[a-z_]+")


class Skipped(Exception):
    """Why something is not checked here."""


def run(*command):
    """Its output; what it says where it fails."""
    ended = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True)
    if ended.returncode:
        raise AssertionError((ended.stdout + ended.stderr).strip())
    return ended.stdout


def tool(*names):
    """The first of these commands that is installed here, beside this Python or anywhere."""
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise Skipped(f"no {' or '.join(names)}")


def documents(*files):
    return [(file, document) for file in files for document in yaml.safe_load_all(file.read_text()) if document]


def manifests():
    """Every whole resource with its file; not what only kustomize or helm read."""
    found = documents(*sorted(KUBERNETES.rglob("*.yaml")))
    return [(file, one) for file, one in found if "kind" in one and one["kind"] not in ("Kustomization", "Component")]


def dockerfiles():
    run(tool("hadolint"), "--failure-threshold", "warning", DEPLOY / "Dockerfile", DEPLOY / "mpi.Dockerfile")


def scripts():
    files = [*(DEPLOY / "slurm").glob("*.sbatch"), ROOT / ".ci/run", ROOT / "checkpoints/default/reproduce.sh", ROOT / "examples/from-seeds/train.sh"]
    run(tool("shellcheck"), *files)
    for file in files:
        run("bash", "-n", file)


def compose():
    file = DEPLOY / "compose.yaml"
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", file)
    document = yaml.safe_load(file.read_text())
    for name, service in document["services"].items():
        for source in (volume.split(":")[0] for volume in service.get("volumes", [])):
            there = (DEPLOY / source).exists() if source.startswith(".") else source in document["volumes"]
            assert there, f"the service {name} mounts {source}, which is not there"
    server = document["services"]["server"]
    grace = int(server["stop_grace_period"].removesuffix("s"))
    check_grace("compose.yaml", server["environment"], grace)


def check_grace(what, environment, grace):
    drain = int(environment["REVQ_DRAIN_DELAY"]) + DRAIN_TIMEOUT_SECONDS
    assert grace > drain, f"{what} kills a server after {grace} s, which may take {drain} s to drain"


def kubernetes(folder_of_definitions):
    definitions = read_definitions(folder_of_definitions)
    for file, resource in manifests():
        validate(file.relative_to(ROOT), resource, definitions)
        for pod, containers in pods(resource):
            check_pod(file.relative_to(ROOT), resource["kind"], pod, containers)
    for file in sorted(KUBERNETES.rglob("kustomization.yaml")):
        named = set(yaml.safe_load(file.read_text())["resources"])
        there = {other.name for other, _ in manifests() if other.parent == file.parent}
        left = there - named
        assert not left, f"{file.relative_to(ROOT)} does not name {', '.join(sorted(left))}"


def overlays(folder_of_definitions):
    """What kustomize makes of them, whose patches are no resources by themselves."""
    kubectl, definitions = tool("kubectl", "kustomize"), read_definitions(folder_of_definitions)
    verb = ["kustomize"] if kubectl.endswith("kubectl") else ["build"]
    for folder in sorted(file.parent for file in KUBERNETES.rglob("kustomization.yaml")):
        if folder.parent.name == "components":
            continue
        for resource in yaml.safe_load_all(run(kubectl, *verb, folder)):
            validate(folder.relative_to(ROOT), resource, definitions)


def read_definitions(folder):
    """The schema of each kind and version that a folder of CustomResourceDefinitions has."""
    schemas = {}
    for _, document in documents(*sorted(folder.glob("*.yaml"))) if folder else []:
        for version in document["spec"]["versions"]:
            key = f"{document['spec']['group']}/{version['name']}", document["spec"]["names"]["kind"]
            schemas[key] = closed(version["schema"]["openAPIV3Schema"])
    return schemas


def closed(schema):
    """The same, and no field that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    # Patterns are Go's, which Python reads otherwise.
    made = {key: closed(value) for key, value in schema.items() if not (key == "pattern" and isinstance(value, str))}
    if made.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields") and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
        made["properties"].setdefault("metadata", {})
    return made


def validate(where, resource, definitions):
    what = f"{where}: {resource['kind']} {resource['metadata']['name']}"
    key = resource["apiVersion"], resource["kind"]
    try:
        if resource["kind"] not in CUSTOM:
            for version in VERSIONS:
                kubernetes_validate.validate(resource, version, strict=True)
        elif definitions:
            assert key in definitions, f"{what} is not defined as {'/'.join(key)}"
            jsonschema.Draft202012Validator(definitions[key]).validate(resource)
    except (jsonschema.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        raise AssertionError(f"{what}: {getattr(error, 'json_path', '')} {error.message}") from None


def pods(resource):
    """Every pod that a resource makes, with its containers."""
    spec = resource.get("spec", {})
    if resource["kind"] == "ServingRuntime":
        # The rest of its pod is in the InferenceService.
        return [(None, spec["containers"])]
    if resource["kind"] == "MPIJob":
        templates = [replica["template"] for replica in spec["mpiReplicaSpecs"].values()]
    else:
        templates = [spec["template"]] if "template" in spec else []
    return [(template["spec"], template["spec"]["containers"]) for template in templates]


def check_pod(where, kind, pod, containers):
    """What Kubernetes' profile "restricted" wants, and what this server wants besides."""
    if pod is not None:
        assert pod.get("enableServiceLinks") is False, f"{where}: a pod is told of services by variables that begin with REVQ_"
        context = pod["securityContext"]
        assert context["runAsNonRoot"] and context["seccompProfile"]["type"] == "RuntimeDefault", f"{where}: a pod may be root"
    for container in containers:
        own, resources = container["securityContext"], container["resources"]
        confined = own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"] and own["capabilities"]["drop"] == ["ALL"]
        assert confined, f"{where}: the container {container['name']} is not confined"
        assert "requests" in resources and "memory" in resources["limits"], f"{where}: {container['name']} has no bounds"
    if kind == "Deployment":
        environment = {variable["name"]: variable["value"] for variable in containers[0]["env"]}
        check_grace(where, environment, pod["terminationGracePeriodSeconds"])


def rules():
    same = yaml.safe_load((KUBERNETES / "components/monitoring/prometheus-rule.yaml").read_text())["spec"]
    assert same == yaml.safe_load(RULES.read_text()), "components/monitoring/prometheus-rule.yaml differs from prometheus/revq.rules.yml"
    promtool = tool("promtool")
    run(promtool, "check", "config", DEPLOY / "prometheus/prometheus.yml")
    run(promtool, "test", "rules", DEPLOY / "prometheus/revq.rules.test.yml")


def balancer():
    """Without a certificate there is nothing to be loaded, so that TLS is left out."""
    text = (DEPLOY / "haproxy/haproxy.cfg").read_text()
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
        file.write(re.sub(r"ssl crt \S+ alpn \S+", "", text))
        file.flush()
        run(tool("haproxy"), "-c", "-f", file.name)


def expressions():
    """Every PromQL expression of rules, dashboard and autoscaler, with where it is."""
    found = [(f"the alert {rule['alert']}", rule["expr"]) for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    dashboard = json.loads((DEPLOY / "grafana/dashboards/revq.json").read_text())
    found += [(f"the panel {panel['title']}", target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]
    found += [(f"the annotation {one['name']}", one["expr"]) for one in dashboard["annotations"]["list"]]
    adapter = yaml.safe_load((KUBERNETES / "components/monitoring/adapter-values.yaml").read_text())
    return found + [("adapter-values.yaml", rule["seriesQuery"]) for rule in adapter["rules"]["custom"]]


def metrics():
    """Whatever is asked of Prometheus is something that a running server tells."""
    there = {line.split()[2]: line.split()[3] for line in served_metrics().splitlines() if line.startswith("# TYPE")}
    names = set(there) | {name + part for name, kind in there.items() if kind == "histogram" for part in ("_bucket", "_sum", "_count")}
    for where, expression in expressions():
        for name in METRIC.findall(expression):
            assert name in names, f"{where} asks for {name}, which /metrics does not have"


def server():
    builds = [ROOT / build / "release/revq-server" for build in (".build", ".build-tests")]
    built = [build for build in builds if build.exists()]
    if not built:
        raise Skipped("no revq-server is built")
    return max(built, key=lambda file: file.stat().st_mtime)


def served_metrics():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [server(), "--checkpoints", ROOT / "checkpoints", "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server does not answer within 10 s")
    finally:
        process.kill()
        process.wait()


def settings():
    """The server knows every variable that it is given, and takes its value."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    environments = [("compose.yaml", compose["services"]["server"]["environment"])]
    for file, resource in manifests():
        for _, containers in pods(resource):
            environments += [(file.name, {variable["name"]: variable["value"] for variable in one["env"]}) for one in containers if "env" in one]
    for where, environment in environments:
        ended = subprocess.run([server(), "--check-config"], env=environment, capture_output=True, text=True)
        assert ended.returncode == 0, f"{where}: {ended.stderr.strip()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crds", type=pathlib.Path, help="a folder with CustomResourceDefinitions")
    crds, failed = parser.parse_args().crds, False
    checks = [dockerfiles, scripts, compose, lambda: kubernetes(crds), lambda: overlays(crds), rules, balancer, metrics, settings]
    names = ["dockerfiles", "scripts", "compose", "kubernetes", "overlays", "rules", "balancer", "metrics", "settings"]
    for name, check in zip(names, checks, strict=True):
        try:
            check()
            print(f"{name}: as it should be")
        except Skipped as reason:
            print(f"{name}: not checked, {reason}")
        except AssertionError as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
