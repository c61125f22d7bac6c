"""The study as files: CSV tables under the post's names, summary.json, and README.md with all."""

from pathlib import Path

from roomcad_offline.scan_gap import deployed, eleven, reproducibility, rows
from roomcad_offline.scan_gap.document import document
from roomcad_offline.scan_gap.state import write_csv
from roomcad_offline.scan_gap.summary import write_summary

CSV = {
    "scan-eval-by-variant.csv": rows.by_variant,
    "scan-eval-bg-aug.csv": rows.retraining,
    "per-class-by-variant.csv": rows.per_class,
    "ablation-curves.csv": rows.ablation,
    "ablation-claims.csv": rows.ablation_claims,
    "failure-taxonomy.csv": rows.failure_shares,
    "modelnet-to-scanobjectnn-11.csv": eleven.rows,
    "reproducibility.csv": reproducibility.rows,
    "finding.csv": rows.finding,
}


def write_tables(study, out, captions=None):
    """Write all CSV files, summary.json and README.md below `out`.

    The deployed classifier's own results are taken from the folder `classifier` beside `out`.
    `captions` maps the figures that were drawn (file names) to their captions.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name, make in CSV.items():
        write_csv(make(study), out / name)
    ours = deployed.rows(out.parent / "classifier" / "evaluation.json")
    write_csv(ours, out / "deployed.csv")
    records = write_summary(study, ours, out / "summary.json")
    (out / "README.md").write_text(document(study, captions or {}, ours))
    return records
