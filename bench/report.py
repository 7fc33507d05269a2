"""Results as Markdown tables, and those tables inside other documents."""

import re



def times(value):
    return f"{value:.2f}×"


def thousands(value):
    return f"{value / 1000:,.0f}k"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(header, rows):
    return "\n".join([row(header), row(["---"] + ["---:"] * (len(header) - 1))] + [row(r) for r in rows])


def load_table(results):
    """CPU per request and requests/s of each server; against the first one from the second on."""
    names = [s["name"] for s in results["servers"]]
    base = names[0]
    header = ["load"]
    for name in names:
        header += [f"{name} CPU", f"{name} req/s"]
    for name in names[1:]:
        header += [f"{name} CPU vs {base}", f"{name} req/s vs {base}"]
    rows = []
    for workload, by_server in results["load"].items():
        cells = [workload]
        for name in names:
            cells += [f"{by_server[name]['cpu_us']:.2f} µs", thousands(by_server[name]["rps"])]
        for name in names[1:]:
            cells += [
                times(by_server[name]["cpu_us"] / by_server[base]["cpu_us"]),
                times(by_server[name]["rps"] / by_server[base]["rps"]),
            ]
        rows.append(cells)
    return table(header, rows)


def worst(sizes):
    """(bytes per item, item count) where an item costs most."""
    return max((value, int(size)) for size, value in sizes.items())


def memory_table(results):
    names = [s["name"] for s in results["servers"]]
    base = names[0]
    header = ["memory"] + [f"{name} bytes/item" for name in names] + [f"{name} vs {base}" for name in names[1:]]
    rows = []
    for workload, by_server in results["memory"].items():
        cells = [workload]
        for name in names:
            value, size = worst(by_server[name])
            cells.append(f"{value:.1f} (at {size / 1e6:g}M)")
        cells += [times(worst(by_server[name])[0] / worst(by_server[base])[0]) for name in names[1:]]
        rows.append(cells)
    return table(header, rows)


def server_label(server):
    """Its name with its version, once when the version begins with the name."""
    name, version = server["name"], server["version"]
    return version if version.startswith(name + " ") else f"{name} ({version})"


def conditions(results):
    machine = results["machine"]
    versions = ", ".join(server_label(server) for server in results["servers"])
    text = (
        f"Measured {results['date']} on {machine['cpu']} ({machine['cores']} cores), Linux {machine['kernel']}. "
        f"{versions}."
    )
    if results["load"]:
        text += f" Median of {results['rounds']} interleaved rounds; server on one core, redis-benchmark on another."
    if results["memory"]:
        text += " Memory: the worst of the measured sizes."
    return text


def markdown(results):
    parts = []
    if results["load"]:
        parts.append(load_table(results))
    if results["memory"]:
        parts.append(memory_table(results))
    parts.append(conditions(results))
    return "\n\n".join(parts) + "\n"


def update_document(path, text, name="measured"):
    """Replaces what stands between the marks <!-- name --> and <!-- /name -->; the document must have them once."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    document = path.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(opening) + ".*?" + re.escape(closing), re.DOTALL)
    if len(pattern.findall(document)) != 1:
        raise ValueError(f"{path}: expected one {opening} ... {closing}")
    path.write_text(pattern.sub(lambda _: f"{opening}\n\n{text}\n{closing}", document), encoding="utf-8")
