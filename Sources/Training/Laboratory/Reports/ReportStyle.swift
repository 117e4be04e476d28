/// How reports look.
enum ReportStyle {
    /// Colours of series; more series than that repeat them with another marker.
    static let colours = 8

    /// The colours keep their order and their meaning in the dark; both sets have been chosen for contrast with their background.
    static let css = """

        :root { --ink: #1c2128; --soft: #5b6572; --line: #d6dbe1; --grid: #e9ecf0; --paper: #ffffff; --card: #f7f8fa;
          --c0: #1f6feb; --c1: #c2570c; --c2: #1a7f4b; --c3: #a8327e; --c4: #6e4fc4; --c5: #0b7c8c; --c6: #8a6300; --c7: #57606a; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa4b2; --line: #3a424d; --grid: #262c35;
          --paper: #14181e; --card: #1b2027; --c0: #6ea8ff; --c1: #ff9d5c; --c2: #5fd08f; --c3: #f08bc9; --c4: #b09cf5;
          --c5: #55c8d8; --c6: #dcb44a; --c7: #a7b0bb; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 70rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
          font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
        h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .6rem; }
        h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; }
        p { max-width: 46rem; margin: .6rem 0; }
        .question { color: var(--soft); font-size: 1.05rem; }
        figure { margin: 1.2rem 0; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
        .wide { overflow-x: auto; }
        figcaption { font-weight: 600; margin-bottom: .4rem; }
        table { border-collapse: collapse; width: 100%; font-size: .88rem; }
        th, td { padding: .3rem .5rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
        thead th { color: var(--soft); font-weight: 600; }
        td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
        .facts th { width: 14rem; color: var(--soft); font-weight: 500; }
        .facts td { overflow-wrap: anywhere; }
        .images td, .images th { border: 0; padding: .15rem .3rem; }
        .images img { width: 100%; min-width: 7rem; display: block; border-radius: 4px; image-rendering: auto; }
        .images .under { color: var(--soft); font-size: .82rem; padding-bottom: .8rem; }
        .legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .5rem 0 0; padding: 0; font-size: .86rem; }
        .legend li { display: flex; align-items: center; gap: .45rem; }
        .legend svg { width: 34px; height: 14px; flex: none; }
        svg.plot { width: 100%; max-width: 46rem; height: auto; display: block; }
        svg text { fill: var(--soft); font-size: 12px; }
        p.axis { margin: 0; font-size: .86rem; }
        p.axis.across { text-align: right; max-width: 46rem; }
        @media (max-width: 700px) { body { padding: 1.25rem .75rem 3rem; } figure { padding: .75rem .5rem; } .facts th { width: 38%; }
          svg text { font-size: 20px; } svg .minor { display: none; } }
        svg .grid { stroke: var(--grid); stroke-width: 1; }
        svg .frame { stroke: var(--soft); stroke-width: 1; fill: none; }

        """
}
