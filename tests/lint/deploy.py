"""Checks the compose file and the Kubernetes manifests as far as that goes without an engine: kinds, names that are referred
to, selectors, ports, and that the arguments are a command line that the program understands (its path is the argument)."""
import glob
import subprocess
import sys

import yaml

bad = []


def wrong(where, what):
    bad.append(f"{where}: {what}")


def understood(where, program, args):
    """The program knows the command and its options: --help ends with 0 after reading the whole line."""
    done = subprocess.run([program, *args, "--help"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        wrong(where, f"the program does not understand {args}: {done.stderr.strip()}")


def compose(path, program):
    with open(path, encoding="utf-8") as f:
        c = yaml.safe_load(f)
    known = {"name", "services", "volumes", "secrets", "networks", "configs"}
    for key in c:
        if key not in known and not key.startswith("x-"):
            wrong(path, f"unknown key {key}")
    service_keys = {"image", "build", "environment", "secrets", "depends_on", "stop_grace_period", "command", "deploy", "restart",
                    "profiles", "stdin_open", "tty", "volumes", "healthcheck", "ports"}
    for name, s in c["services"].items():
        where = f"{path}: {name}"
        for key in s:
            if key not in service_keys:
                wrong(where, f"unknown key {key}")
        for secret in s.get("secrets", []):
            if secret not in c["secrets"]:
                wrong(where, f"there is no secret {secret}")
        for volume in s.get("volumes", []):
            source = volume.split(":")[0]
            if not source.startswith((".", "/")) and source not in c["volumes"]:
                wrong(where, f"there is no volume {source}")
        for other, how in s.get("depends_on", {}).items():
            if other not in c["services"]:
                wrong(where, f"depends on {other}, which is not there")
            elif how["condition"] == "service_healthy" and "healthcheck" not in c["services"][other]:
                wrong(where, f"waits for the health of {other}, which has no check")
        for key, value in s.get("environment", {}).items():
            if not isinstance(value, str):
                wrong(where, f"{key}: {value!r} is not text")
        if s["image"].startswith("fraudtop"):
            understood(where, program, s["command"])


def containers(doc):
    return doc["spec"]["template"]["spec"]["containers"]


def manifests(paths, program):
    docs = []
    for path in paths:
        with open(path, encoding="utf-8") as f:
            docs += [(path, d) for d in yaml.safe_load_all(f)]
    kinds = {"ConfigMap": "v1", "Service": "v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1", "PodDisruptionBudget": "policy/v1"}
    pods = [(p, d) for p, d in docs if d["kind"] in ("Deployment", "StatefulSet")]
    maps = {d["metadata"]["name"] for _, d in docs if d["kind"] == "ConfigMap"}
    for path, d in docs:
        where = f"{path}: {d['kind']} {d['metadata']['name']}"
        if kinds.get(d["kind"]) != d["apiVersion"]:
            wrong(where, f"apiVersion {d['apiVersion']}")
        if d["kind"] in ("Service", "PodDisruptionBudget"):
            selector = d["spec"]["selector"].get("matchLabels", d["spec"]["selector"])
            found = [q for _, q in pods if selector.items() <= q["spec"]["template"]["metadata"]["labels"].items()]
            if len(found) != 1:
                wrong(where, f"selects {len(found)} kinds of pods")
            ports = {p["name"] for q in found for k in containers(q) for p in k.get("ports", [])}
            for port in d["spec"].get("ports", []):
                if port["targetPort"] not in ports:
                    wrong(where, f"there is no port {port['targetPort']}")
    for path, d in pods:
        where = f"{path}: {d['kind']} {d['metadata']['name']}"
        labels = d["spec"]["template"]["metadata"]["labels"]
        if not d["spec"]["selector"]["matchLabels"].items() <= labels.items():
            wrong(where, "selector and labels differ")
        volumes = {v["name"] for v in d["spec"]["template"]["spec"].get("volumes", [])}
        volumes |= {v["metadata"]["name"] for v in d["spec"].get("volumeClaimTemplates", [])}
        for v in d["spec"]["template"]["spec"].get("volumes", []):
            if "configMap" in v and v["configMap"]["name"] not in maps:
                wrong(where, f"there is no ConfigMap {v['configMap']['name']}")
        for k in containers(d):
            for m in k.get("volumeMounts", []):
                if m["name"] not in volumes:
                    wrong(where, f"there is no volume {m['name']}")
            for e in k.get("env", []):
                if "value" in e and not isinstance(e["value"], str):
                    wrong(where, f"{e['name']}: not text")
            if k["image"].startswith("fraudtop"):
                understood(where, program, k["args"])
    try:
        import kubernetes_validate  # a package with the schemas, where somebody installed it
    except ImportError:
        return
    for path, d in docs:
        try:
            kubernetes_validate.validate(d, "1.28", strict=True)
        except kubernetes_validate.ValidationError as e:
            wrong(path, f"{e.path}: {e.message}")


program = sys.argv[1]
compose("deploy/compose.yaml", program)
manifests(sorted(glob.glob("deploy/kubernetes/*.yaml")), program)
for line in bad:
    print(line, file=sys.stderr)
sys.exit(1 if bad else 0)
