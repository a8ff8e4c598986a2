#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ansible module: migrates machines with 'virt-ferry batch'; check mode plans them."""

DOCUMENTATION = r"""
module: virt_ferry
short_description: Migrate VirtualBox and VMware machines to libvirt
description:
  - Runs C(virt-ferry batch) as the user of the task, whose libvirt session gets the machines.
  - A machine that was migrated before, and whose source is unchanged, is skipped and counts as no change.
  - In check mode nothing is written; C(changed) says whether something would be migrated.
options:
  source:
    description: A folder with machines, or a manifest (docs/batch-manifest.md).
    type: path
    required: true
  options:
    description: Long options of C(virt-ferry batch), as a list of words.
    type: list
    elements: str
    default: []
  program:
    description: The program.
    type: str
    default: virt-ferry
"""

EXAMPLES = r"""
- name: The lab's machines are in the user's libvirt session
  virt_ferry:
    source: /srv/lab/all.yaml
    options: [--shard, "1/4", --verify]
  become: true
  become_user: lab
"""

RETURN = r"""
machines:
  description: Name, status and, where it was refused, the reason of each machine.
  type: list
  returned: always
"""

import json

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec=dict(
            source=dict(type="path", required=True),
            options=dict(type="list", elements="str", default=[]),
            program=dict(type="str", default="virt-ferry"),
        ),
        supports_check_mode=True,
    )
    words = [module.params["program"], "batch", module.params["source"], "--format", "json", "--progress", "none"]
    words += module.params["options"]
    if module.check_mode:
        words.append("--dry-run")
    code, out, err = module.run_command(words)
    try:
        report = json.loads(out)
    except ValueError:
        module.fail_json(msg=err.strip() or out.strip() or "virt-ferry gave no report", rc=code)
    machines = []
    for one in report.get("machines", []):
        machine = dict(name=one["name"], status=one["status"])
        if "refusal" in one:
            machine.update(reason=one["refusal"]["message"], retry=one["refusal"]["retry"])
        machines.append(machine)
    changed = any(machine["status"] in ("planned", "migrated") for machine in machines)
    result = dict(changed=changed, machines=machines, rc=code)
    if code != 0:
        module.fail_json(msg=err.strip() or "some machines were not migrated", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
