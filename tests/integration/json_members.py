"""Compares the objects that the program printed (FOLDER/NAME, one a line) with docs/formats.md: every member that is printed is
documented, and every documented one is printed at least once.   json_members.py SOURCE FOLDER"""
import json
import re
import sys

DOC = open(sys.argv[1] + "/docs/formats.md").read()
MAN = open(sys.argv[1] + "/man/fraudtop.1").read()
# Objects whose members are the user's, a model's or another format's
FREE = {"data", "params", "metrics", "headers", "value", "features", "history", "usual"}
# The output: where its notation begins in the document (a pattern; the notation is the group, else what stands behind it)
OUTPUTS = {
    "run": [r"## Run and live figures[^{]*"],
    "replay": [r"`replay --json`[^{]*"],
    "score.group": [r"`score --json` without files[^{]*"],
    "sink": [r"`sink --json`[^{]*"],
    "score": [r"header `(row,score,fraud_flag,raw)`", r"`--reasons N` `(\"reasons\":[^`]*)`"],
    "explain": [r"`explain FILE --row N --json`[^{]*"],
    "evaluate": [r"`evaluate FILE… --label NAME --json`[^{]*", r"`(\"f_beta\":[^`]*)`", r"`(\"at_fpr\":[^`]*)`",
                 r"`(\"at_recall\":[^`]*)`", r"begins with `(\"model\"):NAME`"],
    "model.list": [r"`model list --json`: `", r"model that cannot be used `(\"models\":[^`]*)`"],
    "model.show": [r"`model show --json`: `"],
    "model.check": [r"`model check --json`: `"],
    "model.promote": [r"`model promote NAME[^{]*"],
    "threshold": [r"with the same members:\s*"],
    "threshold.apply": [r"`threshold apply X --note TEXT --json`: `"],
    "doctor": [r"`fraudtop doctor --json` prints one object:\s*"],
    "topics.list": [r"`topics list --json`[^{]*"],
    "topics.show": [r"`topics show TOPIC --json`[^{]*"],
    "topics.tail": [r"`text` is `null` while masked\):\s*"],
    "bench": [r"`bench --json`: `"],
    "snapshot": [r"`snapshot --format json`: `"],
    "error": [r"writes lines there too:\s*"],
    "progress": [r"writes lines there too:\s*\{[^}]*\}\s*"],
    "watch": [r"(\{\"schema\":\"watch/1\"[\s\S]*?\}\])"],
    "flagged": [r"(?=\{\"schema\":\"flagged/1\")"],
}
TABLE = ["cases.list", "cases.case", "cases.show", "cases.decide", "cases.undo", "cases.note", "cases.claim", "cases.stats",
         "cases.log", "handover"]
MANUAL = ["run", "explain", "evaluate", "cases.list", "cases.show", "cases.stats", "cases.log", "handover"]
CASE = re.search(r"CASE stands for the members `([^`]*)`", DOC).group(1)


def balanced(text):
    depth = 0
    for i, c in enumerate(text):
        depth += (c in "{[") - (c in "}]")
        if depth == 0:
            return text[:i + 1]
    raise SystemExit("not closed: " + text[:60])


def notation(text):
    """{"a","b":{"c"}[,"d":[{"e"}]]} or a, b: {c}: its members, those of inner objects as b.c"""
    token = re.findall(r'"[^"]*"|[{}\[\]:,]|[^\s{}\[\]:,"`]+', text.replace(" and ", ","))
    names, path, after = set(), [], False
    last = ""
    for t in token:
        if t == "{":
            path.append(last if after or path else "")
            after = False
        elif t == "}":
            path.pop()
        elif t == ":":
            after = True
        elif t in "[],":
            after = after and t == "["
        elif not after and re.fullmatch(r'"?[a-z_0-9]+"?', t):
            last = t.strip('"')
            names.add(".".join([p for p in path if p] + [last]))
        elif not after and re.fullmatch("[A-Z]+", t):
            last = "*"
            names.add(".".join([p for p in path if p] + ["*"]))
    return names


def documented(name):
    text = []
    if name in TABLE:
        row = re.search(r"^\| (?=[^|]*`" + re.escape(name) + r"/1`)[^|]*\| (.*) \|$", DOC, re.M).group(1)
        row = re.sub(r"\([^()]*\)", "", row).split("; `next`")[0]
        row = ", ".join(a or b for a, b in re.findall(r"`([^`]*)`|(CASE)", row))
        text.append("schema," + re.sub(r"\[(CASE[^\]]*)\]", r"[{\1}]", row))
    for pattern in OUTPUTS.get(name, []):
        m = re.search(pattern, DOC)
        if not m:
            raise SystemExit(f"docs/formats.md: nothing like {pattern}")
        text.append(m.group(1) if m.groups() else balanced(DOC[m.end():]))
    return set().union(*[notation(t.replace("CASE", CASE)) for t in text])


def printed(v, path, out):
    for x in v if isinstance(v, list) else [v]:
        for k, inner in x.items() if isinstance(x, dict) else []:
            out.add(path + k)
            if k not in FREE or k == "features" and "from_state" in json.dumps(inner):
                printed(inner, path + k + ".", out)


bad = 0
for name in list(OUTPUTS) + TABLE:
    got, want = set(), documented(name)
    for line in open(f"{sys.argv[2]}/{name}"):
        printed(json.loads(line), "", got)
    if name == "threshold":
        figures = re.search(r"Figures: `([^`]*)`, `?([^`]*?)`? \(Wilson|Figures: `([^`]*)`", DOC)
        rest = DOC[figures.start():DOC.index("what cannot be known", figures.start())]
        for x in notation(re.sub(r"\([^()]*\)", "", rest.split(":", 1)[1]).replace("`", "").rstrip("; ")):
            want |= {"now." + x, "at." + x}
    want = {w for w in want if not FREE & set(w.split(".")[:-1]) or w in got}
    free = {w[:-1] for w in want if w.endswith("*")}
    for what, names in (("is printed, but not in docs/formats.md", got - want), ("is documented, but never printed", want - got)):
        for n in sorted(names):
            if not any(n.startswith(f) for f in free):
                print(f"{name}: {n} {what}")
                bad += 1
    for n in got if name in MANUAL else ():
        if "." not in n and n != "schema" and not re.search(rf"\b{n}\b", MAN):
            print(f"{name}: {n} is not in the manual")
            bad += 1
sys.exit(bad > 0)
