//! What a form says when it is sent, checked as Slack checks it before the app sees it.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `view.state.values` of what was filled in: a text or an option's value, or several in an array, by block and action
/// id. What was not filled in has its initial value.
pub(super) fn filled(blocks: &Value, values: &Value) -> Result<Value, BTreeMap<String, String>> {
    let mut state = json!({});
    let mut errors = BTreeMap::new();
    let inputs = blocks.as_array().into_iter().flatten().filter(|block| block["type"] == "input");
    for block in inputs {
        let id = block["block_id"].as_str().unwrap_or_default();
        let element = &block["element"];
        let action = element["action_id"].as_str().unwrap_or_default();
        let given = values.get(id).and_then(|block| block.get(action));
        match read(element, given) {
            Ok((value, empty)) => {
                if empty && block["optional"] != true {
                    errors.insert(id.to_owned(), "Please complete this required field.".to_owned());
                }
                state[id] = json!({ action: value });
            }
            Err(error) => {
                errors.insert(id.to_owned(), error);
            }
        }
    }
    if errors.is_empty() { Ok(state) } else { Err(errors) }
}

/// One element's state, and whether nothing is filled in.
fn read(element: &Value, given: Option<&Value>) -> Result<(Value, bool), String> {
    let kind = element["type"].as_str().unwrap_or_default();
    let text = |initial: &str| given.or_else(|| element.get(initial)).and_then(Value::as_str).unwrap_or_default();
    match kind {
        "plain_text_input" | "number_input" => {
            let text = text("initial_value");
            let length = text.chars().count();
            let limit = |name: &str| element[name].as_u64().and_then(|limit| usize::try_from(limit).ok());
            if let Some(max) = limit("max_length").filter(|max| length > *max) {
                return Err(format!("Please enter at most {max} characters."));
            }
            if let Some(min) = limit("min_length").filter(|min| length > 0 && length < *min) {
                return Err(format!("Please enter at least {min} characters."));
            }
            let value = if text.is_empty() { Value::Null } else { json!(text) };
            Ok((json!({ "type": kind, "value": value }), text.is_empty()))
        }
        "static_select" | "radio_buttons" => {
            let wanted = given.and_then(Value::as_str).filter(|wanted| !wanted.is_empty());
            let option = match wanted {
                Some(wanted) => option(element, wanted).ok_or("Please choose one of the options.")?,
                None => element.get("initial_option").filter(|_| given.is_none()).cloned().unwrap_or_default(),
            };
            let empty = option.is_null();
            Ok((json!({ "type": kind, "selected_option": option }), empty))
        }
        "multi_static_select" | "checkboxes" => {
            let single = given.filter(|given| given.is_string()).map(std::slice::from_ref);
            let wanted = single.or_else(|| given.and_then(Value::as_array).map(Vec::as_slice));
            let chosen = match wanted {
                Some(wanted) => {
                    let names = wanted.iter().filter_map(Value::as_str).filter(|name| !name.is_empty());
                    let options: Option<Vec<_>> = names.map(|name| option(element, name)).collect();
                    options.ok_or("Please choose from the options.")?
                }
                None => element["initial_options"].as_array().cloned().unwrap_or_default(),
            };
            let empty = chosen.is_empty();
            Ok((json!({ "type": kind, "selected_options": chosen }), empty))
        }
        _ => {
            let (field, initial) = match kind {
                "users_select" => ("selected_user", "initial_user"),
                "channels_select" => ("selected_channel", "initial_channel"),
                _ => ("selected_conversation", "initial_conversation"),
            };
            let text = text(initial);
            let value = if text.is_empty() { Value::Null } else { json!(text) };
            Ok((json!({ "type": kind, field: value }), text.is_empty()))
        }
    }
}

/// The option with this value, as the app wrote it.
fn option(element: &Value, value: &str) -> Option<Value> {
    let listed = |holder: &Value| holder["options"].as_array().cloned().unwrap_or_default();
    let groups = element["option_groups"].as_array().into_iter().flatten().flat_map(listed);
    listed(element).into_iter().chain(groups).find(|option| option["value"] == value)
}
