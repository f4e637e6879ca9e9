//! Who answers in place of the network. Nothing leaves the machine.

use crate::exit::Fault;
use customs_boundary::Network;
use customs_policy::Policy;

pub(super) fn network(_policy: &Policy) -> Result<Network, Fault> {
    Ok(Network::none())
}
