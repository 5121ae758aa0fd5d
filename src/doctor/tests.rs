use super::*;

#[test]
fn the_report_has_a_line_for_everything_and_a_verdict() {
    let report = Report::of(&RunConfig::default(), false);
    let text = report.text();
    for name in
        ["mnist-tui", "CPU", "vectors", "threads", "memory", "GPU", "device", "terminal", "runs"]
    {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is missing from\n{text}");
    }
    assert!(text.ends_with("Training can start.\n"), "{text}");
    let value = serde_json::to_value(&report).expect("one object");
    assert_eq!(value["ready"], true);
    assert!(value["cpu"]["lanes"].as_u64().is_some_and(|lanes| lanes >= 4));
    assert_eq!(value["device"]["asked"], "auto");
}

#[test]
fn only_a_problem_that_blocks_makes_a_run_impossible() {
    let mut report = Report::of(&RunConfig::default(), false);
    report.problems = vec![Problem::note("a: do b"), Problem::blocking("c\u{1b}: do d")];
    report.ready = false;
    let text = report.text();
    let ends = "\nwarning: a: do b\nerror: c\\u{1b}: do d\nTraining cannot start.\n";
    assert!(text.ends_with(ends), "{text}");
}

#[test]
fn settings_that_no_run_can_have_are_refused() {
    let config = RunConfig { threads: Some(0), ..RunConfig::default() };
    assert_eq!(run(&config, false, true).status(), 2);
}
