"""Results as one SVG: left, server CPU per request relative to the first server; right, bytes per item.

Written by hand, element by element: no library, one small file that follows the reader's light or dark theme.
"""

from xml.sax.saxutils import escape

from report import server_label, worst

BAR, GAP, GROUP_GAP = 13, 2, 14
LABEL_WIDTH, BAR_WIDTH, VALUE_WIDTH = 84, 240, 112
PANEL_WIDTH = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH
MARGIN, PANEL_GAP, HEAD, FOOT = 20, 20, 78, 46

# The first server is the measure and stays grey.
SERIES_LIGHT = ["#9aa3ad", "#1f6fb8", "#c4662a", "#4d8f3c"]
SERIES_DARK = ["#7b8590", "#58a6ff", "#e08a4e", "#7cbf6a"]

STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: %(ink)s; }
  .title { font-size: 14px; font-weight: 600; }
  .note, .tick { fill: %(muted)s; font-size: 11px; }
  .value { font-size: 11px; stroke: %(page)s; stroke-width: 4px; stroke-linejoin: round; paint-order: stroke; }
  .page { fill: %(page)s; stroke: %(line)s; }
  .line { stroke: %(line)s; stroke-width: 1; }
  .unit { stroke: %(muted)s; stroke-width: 1; stroke-dasharray: 3 3; }
"""
LIGHT = {"ink": "#1f2328", "muted": "#59636e", "page": "#ffffff", "line": "#d1d9e0"}
DARK = {"ink": "#e6edf3", "muted": "#9198a1", "page": "#0d1117", "line": "#3d444d"}


def style_sheet(theme):
    """`theme` is "light", "dark", or "auto": light, and dark where the reader prefers it."""

    def rules(colors, series):
        fills = "".join(f"  .s{i} {{ fill: {color}; }}\n" for i, color in enumerate(series))
        return STYLE % colors + fills

    light, dark = rules(LIGHT, SERIES_LIGHT), rules(DARK, SERIES_DARK)
    if theme == "light":
        return light
    if theme == "dark":
        return dark
    return light + "  @media (prefers-color-scheme: dark) {" + dark + "  }\n"


class Drawing:
    def __init__(self):
        self.parts = []

    def text(self, x, y, text, css="", anchor="start"):
        css = f' class="{css}"' if css else ""
        anchor = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{css}{anchor}>{escape(text)}</text>')

    def bar(self, x, y, width, height, css, tooltip=""):
        title = f"<title>{escape(tooltip)}</title>" if tooltip else ""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}" rx="2" class="{css}">'
            f"{title}</rect>"
        )

    def line(self, x1, y1, x2, y2, css):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>')


def nice_step(limit):
    """A round distance between three to six ticks up to `limit`."""
    for magnitude in range(-3, 9):
        for lead in (1, 2, 2.5, 5):
            step = lead * 10.0**magnitude
            if limit / step <= 6:
                return step
    return limit


def group_height(count):
    return count * BAR + (count - 1) * GAP


def draw_panel(drawing, left, top, title, note, groups, limit, tick_text, unit_line=None):
    """groups: (label, [(length, value text)]) with one pair for each server. Returns the bottom."""
    drawing.text(left, top, title, "title")
    drawing.text(left, top + 17, note, "note")
    first_bar = left + LABEL_WIDTH
    chart_top = top + 30
    y = chart_top + 6
    bottom = chart_top + 6 + sum(group_height(len(bars)) + GROUP_GAP for _, bars in groups) - GROUP_GAP + 6

    step, tick = nice_step(limit), 0.0
    while tick <= limit * 1.001:
        x = first_bar + tick / limit * BAR_WIDTH
        drawing.line(x, chart_top, x, bottom, "unit" if tick == unit_line else "line")
        drawing.text(x, bottom + 14, tick_text(tick), "tick", "middle")
        tick = round(tick + step, 6)

    for label, bars in groups:
        drawing.text(first_bar - 8, y + group_height(len(bars)) / 2 + 4, label, anchor="end")
        for i, (length, value) in enumerate(bars):
            width = length / limit * BAR_WIDTH
            drawing.bar(first_bar, y, width, BAR, f"s{i}", f"{label}: {value}")
            drawing.text(first_bar + width + 5, y + BAR - 3, value, "value")
            y += BAR + GAP
        y += GROUP_GAP - GAP
    return bottom + 14


def load_groups(results, names):
    groups = []
    for workload, by_server in results["load"].items():
        base = by_server[names[0]]["cpu_us"]
        bars = []
        for name in names:
            cpu = by_server[name]["cpu_us"]
            value = f"{cpu:.2f} µs" if name == names[0] else f"{cpu:.2f} µs · {cpu / base:.2f}×"
            bars.append((cpu / base, value))
        groups.append((workload, bars))
    return groups


def memory_groups(results, names):
    groups = []
    for workload, by_server in results["memory"].items():
        base = worst(by_server[names[0]])[0]
        bars = []
        for name in names:
            value = worst(by_server[name])[0]
            bars.append((value, f"{value:.1f}" if name == names[0] else f"{value:.1f} · {value / base:.2f}×"))
        groups.append((workload, bars))
    return groups


def longest(groups):
    return max(length for _, bars in groups for length, _ in bars)


def draw(results, theme="auto"):
    names = [s["name"] for s in results["servers"]]
    drawing = Drawing()
    panels = [kind for kind in ("load", "memory") if results[kind]]
    width = 2 * MARGIN + len(panels) * PANEL_WIDTH + (len(panels) - 1) * PANEL_GAP

    x = MARGIN
    for i, server in enumerate(results["servers"]):
        drawing.bar(x, MARGIN, 12, 12, f"s{i}")
        label = server_label(server)
        drawing.text(x + 18, MARGIN + 10, label)
        x += 18 + 7 * len(label) + 24

    left, bottom = MARGIN, HEAD
    if results["load"]:
        groups = load_groups(results, names)
        limit = max(1.0, longest(groups)) * 1.02
        bottom = max(bottom, draw_panel(
            drawing, left, HEAD - 18, "Server CPU per request",
            f"relative to {names[0]}; shorter is better", groups, limit, lambda t: f"{t:g}×", 1.0))
        left += PANEL_WIDTH + PANEL_GAP
    if results["memory"]:
        groups = memory_groups(results, names)
        bottom = max(bottom, draw_panel(
            drawing, left, HEAD - 18, "Memory per item",
            "resident bytes at the worst size; shorter is better", groups, longest(groups) * 1.02, lambda t: f"{t:g}"))

    height = bottom + FOOT
    machine = results["machine"]
    drawing.text(MARGIN, height - 16, f"{results['date']}, {machine['cpu']}, Linux {machine['kernel']}", "note")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}" '
        f'height="{height:.0f}" role="img" aria-label="Server CPU per request and memory per item">\n'
        f"<style>{style_sheet(theme)}</style>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1:.0f}" rx="8" class="page"/>\n'
        + "\n".join(drawing.parts)
        + "\n</svg>\n"
    )
