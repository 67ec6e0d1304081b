from glue_streaming.following import Crawl, JobRun
from glue_streaming.wording import crawl_lines, progress_line, run_lines, size

RUN = JobRun("jr_1", "SUCCEEDED", 12.0, "", False)


def test_progress_names_batches_rates_and_files() -> None:
    report = {"batches": 2, "rows_per_second": 5000, "totals": {"input_rows": 9000, "input_objects": 3, "files": 14}}
    assert progress_line(report) == "batch 2: 9,000 lines of 3 objects, 5,000 lines/s, 14 files"


def test_a_curation_says_what_came_late_and_what_is_new() -> None:
    late = {"late_rows": 3, "late_by_a_day": 2, "late_by_a_week": 0, "latest_seconds": 266_400.0}
    report = {
        "task": "available-now",
        "totals": {"late_rows": 3, "input_rows": 9},
        "late": late,
        "new_fields": {"region": 7},
    }
    assert list(run_lines(RUN, report)) == [
        "SUCCEEDED in 12 s",
        "  input rows                        9",
        "  late rows                         3",
        "  late by over an hour 3, a day 2, a week 0; the latest by 3.1 days",
        "  new field 'region' in 7 events, kept in `extra`",
    ]


def test_a_curation_of_nothing_says_so() -> None:
    assert list(run_lines(RUN, {"task": "available-now", "totals": {}}))[1:] == ["  nothing new to curate"]


def test_a_failed_run_without_a_report_gives_its_message() -> None:
    assert list(run_lines(JobRun("jr_1", "FAILED", 1.0, "no disk", False), {})) == ["FAILED in 1 s: no disk"]


def test_a_compaction_shows_files_and_bytes_before_and_after_within_eighty_columns() -> None:
    change = {"files_before": 1440, "bytes_before": 3_500_000, "files_after": 1, "bytes_after": 2_000}
    partition = "logs/service=authentication/year=2026/month=11/day=20"
    report = {"task": "compact", "partitions": [{"partition": partition, **change}], "totals": change}
    lines = list(run_lines(RUN, {**report, "skipped": ["rejects/year=2026/month=11/day=20"], "removed_files": 4}))
    assert lines[1:] == [
        "  logs authentication 2026-11-20      1,440 files   3.5 MB ->   1 files   2.0 KB",
        "  rejects 2026-11-20 left: a batch is half published into it;",
        "    run 'loglake curate' first",
        "  in all                              1,440 files   3.5 MB ->   1 files   2.0 KB",
        "  4 replaced files removed",
    ]
    assert max(map(len, lines)) <= 80


def test_a_reprocessing_says_which_days_were_left_and_why() -> None:
    rebuilt = {"day": "2026-11-20", "state": "rebuilt", "objects": 5, "log_rows": 10, "counted_rows": 90}
    left = {"day": "2026-11-21", "state": "left", "reason": "no raw object of it has been curated"}
    assert list(run_lines(RUN, {"task": "reprocess", "days": [rebuilt, left]}))[1:] == [
        "  2026-11-20  rebuilt from 5 objects: 10 rows of 90 events",
        "  2026-11-21  left as it was:\n    no raw object of it has been curated",
    ]


def test_a_crawl_lists_tables_and_what_changed() -> None:
    done = Crawl(
        "SUCCEEDED",
        3.0,
        "",
        False,
        {"inventory": (0, 1), "payment": (1, 2)},
        created=("inventory",),
        deleted=("old",),
        columns_added={"payment": ("tenant string",)},
        ignored={"hidden": 3},
    )
    assert [" ".join(line.split()) for line in crawl_lines(done)] == [
        "SUCCEEDED in 3 s",
        "inventory 1 partition (+1) new table",
        "payment 2 partitions (+1)",
        "new column tenant string",
        "old deleted",
        "ignored 3 objects: hidden",
    ]


def test_sizes_have_units() -> None:
    assert [size(value) for value in (0, 999, 1000, 2.5e9, 1e16)] == ["0 B", "999 B", "1.0 KB", "2.5 GB", "10000.0 TB"]
