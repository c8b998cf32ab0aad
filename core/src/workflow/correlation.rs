//! Whether a workflow takes the release that it builds for as an input and shows it in the names of its runs, so that the run
//! of a dispatch can be told from others on servers that do not answer with its id.

use super::{WorkflowFile, lines};

/// The input's name. It is a convention and not a setting: GitHub refuses an input that the workflow does not declare, so
/// the workflow's file says all that there is to say.
pub const INPUT: &str = "slipway";

/// Whether the workflow declares the input [`INPUT`] of `workflow_dispatch` and has it in its `run-name`. What is written in
/// a way that is not understood here does not count.
#[must_use]
pub fn correlates(file: &WorkflowFile<'_>) -> bool {
    declares(file) && names_runs(file)
}

/// `run-name: Build ${{ github.ref_name }} ${{ inputs.slipway }}`.
fn names_runs(file: &WorkflowFile<'_>) -> bool {
    let named = lines(file).filter_map(|(_, line)| line.strip_prefix("run-name:"));
    let input = format!("inputs.{INPUT}");
    // Nothing may go on with the name: `inputs.slipway_id` is another one.
    let has = |name: &str| {
        name.match_indices(&input).any(|(at, _)| {
            let next = name.get(at + input.len()..).and_then(|rest| rest.chars().next());
            !next.is_some_and(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        })
    };
    named.into_iter().any(has)
}

fn declares(file: &WorkflowFile<'_>) -> bool {
    let is_on = |line: &str| ["on:", "\"on\":", "'on':"].contains(&line.trim_end());
    let block = lines(file).map(|(_, line)| line).skip_while(|line| !is_on(line)).skip(1);
    let mut path: Vec<(usize, &str)> = Vec::new();
    for line in block.take_while(|line| line.starts_with([' ', '\t'])) {
        let indent = line.len() - line.trim_start().len();
        let Some((key, _)) = line.trim().split_once(':') else { continue };
        path.retain(|(depth, _)| *depth < indent);
        path.push((indent, key.trim_matches(['"', '\''])));
        if path.iter().map(|(_, key)| *key).eq(["workflow_dispatch", "inputs", INPUT]) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(text: &str) -> bool {
        correlates(&WorkflowFile { path: ".github/workflows/build.yaml", text })
    }

    const GOOD: &str = "name: build\nrun-name: Build ${{ inputs.slipway }}\non:\n  push:\n  workflow_dispatch:\n    inputs:\n      \
        tag:\n        type: string\n      slipway:\n        required: false\njobs:\n  a:\n";

    #[test]
    fn the_input_has_to_be_declared_and_shown() {
        assert!(takes(GOOD));
        assert!(takes(&GOOD.replace("on:\n", "\"on\":  # what starts it\n")));
        assert!(takes(&GOOD.replace("inputs.slipway", "github.event.inputs.slipway || github.sha")));
        for (from, to) in [
            ("      slipway:", "      release:"),
            ("      slipway:", "      # slipway:"),
            ("run-name", "name"),
            ("{{ inputs.slipway }}", "{{ inputs.slipway_id }}"),
            ("workflow_dispatch", "workflow_call"),
            ("    inputs:", "    outputs:"),
            // Deeper than an input's name.
            ("        type: string", "        slipway: string"),
        ] {
            let text = GOOD.replace(from, to);
            let text = if to.contains("slipway: string") { text.replace("      slipway:\n", "") } else { text };
            assert!(!takes(&text), "{from} → {to}");
        }
        assert!(!takes("on: [push, workflow_dispatch]\nrun-name: ${{ inputs.slipway }}\n"));
    }
}
