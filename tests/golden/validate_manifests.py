#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: validate_manifests.py SCHEMAS FOLDER

Holds each FOLDER/*.yaml to the schemas of Kubernetes' objects and to what KubeVirt's webhooks refuse beside: a name
that two things have, a disk without its volume, a second card on the pod network."""
import json
import pathlib
import re
import sys

import jsonschema
import yaml


def closed(schema):
    """The API server prunes members that a schema does not name: here they are errors."""
    if isinstance(schema, dict):
        out = {key: closed(value) for key, value in schema.items()}
        open_ended = out.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in out
        if "properties" in out and isinstance(out.get("type"), str) and not open_ended:
            out["additionalProperties"] = False
        if out.get("x-kubernetes-int-or-string"):
            out.pop("type", None)
        return out
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


def only_strings_where_quoted(text):
    """What YAML 1.1 and 1.2 read differently stands in quotes."""
    for line in text.splitlines():
        value = re.sub(r'^[\s-]*("(?:[^"\\]|\\.)*"|[A-Za-z]+):\s*', "", line).strip()
        if value and not re.fullmatch(r'"(?:[^"\\]|\\.)*"|-?\d+|true|false|\{\}|\[\]|---', value):
            yield f"not quoted: {line}"


def webhook(machine):
    spec = machine["spec"]["template"]["spec"]
    domain, devices = spec["domain"], spec["domain"]["devices"]
    disks, volumes = devices.get("disks", []), spec.get("volumes", [])
    cards, networks = devices.get("interfaces", []), spec.get("networks", [])
    label = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
    names = [machine["metadata"]["name"]] + [one["name"] for one in disks]
    yield from (f"no label: {name}" for name in names if not label.fullmatch(name))
    for what in (disks, volumes, cards, networks):
        if len({one["name"] for one in what}) != len(what):
            yield f"a name twice in {what}"
    if {one["name"] for one in disks} != {one["name"] for one in volumes}:
        yield "disks and volumes differ"
    if {one["name"] for one in cards} != {one["name"] for one in networks}:
        yield "cards and networks differ"
    if sum("pod" in one for one in networks) > 1:
        yield "two cards on the pod network"
    orders = [one["bootOrder"] for one in disks + cards if "bootOrder" in one]
    if len(set(orders)) != len(orders) or min(orders, default=1) < 1:
        yield f"boot order: {orders}"
    yield from (f"bus {one}" for one in disks if one["disk"]["bus"] not in ("sata", "scsi", "virtio", "usb"))
    yield from (f"serial {one}" for one in disks if not re.fullmatch(r"[A-Za-z0-9_.+-]{1,256}", one.get("serial", "x")))
    models = ("e1000", "e1000e", "igb", "ne2k_pci", "pcnet", "rtl8139", "virtio")
    yield from (f"model {one}" for one in cards if one["model"] not in models)
    efi = domain["firmware"]["bootloader"].get("efi")
    if efi and efi["secureBoot"] and not domain["features"].get("smm", {}).get("enabled"):
        yield "Secure Boot without SMM"
    cpu = domain["cpu"]
    if cpu["maxSockets"] < cpu["sockets"]:
        yield "more sockets than there may be"


def main():
    schemas = pathlib.Path(sys.argv[1])
    kinds = {
        "VirtualMachine": json.loads((schemas / "virtualmachine.schema.json").read_text()),
        "DataVolume": json.loads((schemas / "datavolume.schema.json").read_text()),
    }
    validators = {kind: jsonschema.Draft7Validator(closed(schema)) for kind, schema in kinds.items()}
    files = sorted(pathlib.Path(sys.argv[2]).glob("*.yaml"))
    faults = [] if files else ["no manifests"]
    for file in files:
        text = file.read_text()
        objects = list(yaml.safe_load_all(text))
        found = list(only_strings_where_quoted(text))
        for one in objects:
            found += [f"{list(error.path)}: {error.message}" for error in validators[one["kind"]].iter_errors(one)]
        machines = [one for one in objects if one["kind"] == "VirtualMachine"]
        claims = {one["metadata"]["name"] for one in objects if one["kind"] == "DataVolume"}
        for machine in machines:
            found += list(webhook(machine))
            wanted = {one["dataVolume"]["name"] for one in machine["spec"]["template"]["spec"].get("volumes", [])}
            if wanted - claims:
                found.append(f"DataVolumes that are not there: {wanted - claims}")
        if len(machines) != 1:
            found.append(f"{len(machines)} machines")
        faults += [f"{file.name}: {fault}" for fault in found]
    print("\n".join(faults) if faults else f"{len(files)} manifests are valid")
    return bool(faults)


sys.exit(main())
