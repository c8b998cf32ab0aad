//! placeholder until the policy branch lands
#[derive(Clone, Debug)]
pub struct PolicySet;
impl PolicySet {
    pub fn hash(&self) -> &str {
        ""
    }
    pub fn may_ask(&self, _: &super::Asking) -> super::Decision {
        super::Decision::Allow
    }
    pub fn may_execute(&self, _: &super::Case) -> super::Decision {
        super::Decision::Allow
    }
}
