"""Hit ratios as one SVG: for each trace a bar for each policy, in two columns."""

import plot

SERIES = [
    ("Redis allkeys-lru", "#c3c9d0", "#5a636d"),
    ("Redis allkeys-lfu", "#8b959f", "#8b959f"),
    ("exact LRU, as many keys as Pinyon", "#e3c46a", "#a88a2f"),
    ("Pinyon allkeys-lru", "#8fc1e8", "#2f6ea3"),
    ("Pinyon allkeys-lfu", "#4a92cc", "#4a92cc"),
    ("Pinyon allkeys-adaptive", "#1f5f9e", "#79c0ff"),
    ("optimum, which knows the future", "#4d8f3c", "#7cbf6a"),
]


def style():
    def fills(index):
        return "".join(f"  .s{i} {{ fill: {series[index]}; }}\n" for i, series in enumerate(SERIES))

    dark = "  @media (prefers-color-scheme: dark) {" + plot.STYLE % plot.DARK + fills(2) + "  }\n"
    return plot.STYLE % plot.LIGHT + fills(1) + dark


def draw(results):
    """`results["traces"]`: {name: {column: share}} with a column for each of SERIES."""
    drawing = plot.Drawing()
    groups = [
        (trace, [(100 * by_column[name], f"{100 * by_column[name]:.1f}") for name, _, _ in SERIES])
        for trace, by_column in results["traces"].items()
    ]
    legend_rows = (len(SERIES) + 1) // 2
    for i, (name, _, _) in enumerate(SERIES):
        x = plot.MARGIN + i // legend_rows * plot.PANEL_WIDTH
        y = plot.MARGIN + i % legend_rows * 18
        drawing.bar(x, y, 12, 12, f"s{i}")
        drawing.text(x + 18, y + 10, name)

    top = plot.MARGIN + legend_rows * 18 + 30
    half = (len(groups) + 1) // 2
    bottom = top
    for column, part in enumerate(part for part in (groups[:half], groups[half:]) if part):
        left = plot.MARGIN + column * (plot.PANEL_WIDTH + plot.PANEL_GAP)
        bottom = max(bottom, plot.draw_panel(
            drawing, left, top, "Hit ratio" if column == 0 else "", "percent; longer is better", part, 100,
            lambda tick: f"{tick:g}"))
    width = 2 * plot.MARGIN + 2 * plot.PANEL_WIDTH + plot.PANEL_GAP
    height = bottom + plot.FOOT
    drawing.text(plot.MARGIN, height - 16, results["conditions"], "note")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}" '
        f'height="{height:.0f}" role="img" aria-label="Hit ratios by trace and policy">\n'
        f"<style>{style()}</style>\n"
        f'<rect width="{width}" height="{height:.0f}" rx="6" class="page"/>\n' + "\n".join(drawing.parts) + "\n</svg>\n"
    )
