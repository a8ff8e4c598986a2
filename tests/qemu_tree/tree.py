# SPDX-License-Identifier: Apache-2.0
"""Runs as the user of a session: each case's script with a stand-in for QEMU, then the domain that it becomes.

A case is cases/NAME.sh, run by bash in a folder of its own. Its comments may say, a line each:
  #: image NAME FORMAT [SIZE]   an image that is there when it starts (1M)
  #: kernel NAME
  #: copy NAME FROM
  #: folder NAME
  #: ferry OPTION...            options for virt-ferry
  #: differs WHAT WHY           a line of the comparison that is meant to differ (a regular expression without blanks)
"""
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

WORK = os.environ["WORK"]
RUN = os.path.join(WORK, "run")
QEMUS = ("qemu-system-x86_64", "qemu-system-i386", "qemu", "kvm")

# Names that libvirt and a command choose each for themselves, and what says how a device is served, not what it is.
OWN_NAMES = {"id", "netdev", "drive", "chardev", "audiodev", "bootindex", "memdev", "rng", "fsdev", "tpmdev", "iothread",
             "evdev", "host_mtu", "masterbus",
             "osk"}  # QEMU 7.2 frees what it shows here
# QXL's own defaults by other words: -1 and 0 are the same memory (hw/display/qxl.c), and libvirt says one monitor.
SAME = ("vram64_size_mb", "max_outputs")


class Failed(Exception):
    pass


class Qmp:
    """A monitor: the words of QEMU's own, or of a domain through virsh."""

    def __init__(self, path=None, domain=None):
        self.domain = domain
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(path)
            self.file = self.socket.makefile("rw")
            self.file.readline()
            self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        request = json.dumps({"execute": command, "arguments": arguments} if arguments else {"execute": command})
        if self.domain:
            out = subprocess.run(["virsh", "-q", "qemu-monitor-command", self.domain, request],
                                 capture_output=True, text=True, check=True).stdout
            answer = json.loads(out)
        else:
            self.file.write(request + "\n")
            self.file.flush()
            answer = json.loads(self.file.readline())
            while "event" in answer:
                answer = json.loads(self.file.readline())
        if "error" in answer:
            raise Failed(f"{command}: {answer['error']}")
        return answer["return"]

    def human(self, line):
        return self.ask("human-monitor-command", **{"command-line": line})


class Device:
    def __init__(self, driver, name, bus):
        self.driver, self.name, self.bus = driver, name, bus
        self.properties = {}


class Bus:
    def __init__(self, name, parent):
        self.name, self.kind, self.parent = name, "", parent

    @property
    def step(self):
        """Which of its parent's buses it is: an ATA controller has several, and the name's end says which."""
        return self.name[self.name.rfind("."):] if self.kind == "IDE" else ""


def tree(text):
    """`info qtree` as devices: its lines are indented by two for each step down."""
    devices, stack = [], {}
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip())
        line = line.strip()
        if line.startswith("dev: "):
            driver, name = re.match(r'dev: ([^,]+), id "(.*)"', line).groups()
            stack = {level: one for level, one in stack.items() if level < depth}
            stack[depth] = Device(driver, name, stack.get(depth - 2))
            devices.append(stack[depth])
        elif line.startswith("bus: "):
            above = stack.get(depth - 2)
            stack[depth] = Bus(line[5:], above if isinstance(above, Device) else None)
        elif line.startswith("type ") and isinstance(stack.get(depth - 2), Bus):
            stack[depth - 2].kind = line[5:]
        elif line.startswith("addr ") and ", port " in line:  # of a USB device
            stack[depth - 2 if depth - 2 in stack else depth].properties["port"] = re.search(r"port ([0-9.]+)", line).group(1)
        elif " = " in line:
            name, value = line.split(" = ", 1)
            if isinstance(stack.get(depth - 2), Device):
                stack[depth - 2].properties[name] = value
    return devices


# What tells a device from the others of its bus.
PLACE = ("addr", "port", "unit", "scsi-id", "channel", "lun", "cad", "nr", "iobase", "index")


def place(device):
    """The way down to the device, by places alone."""
    out = device.driver
    for name in PLACE:
        if name in device.properties:
            out += f"@{name}={device.properties[name].strip()}"
    if device.bus and device.bus.parent:
        return place(device.bus.parent) + device.bus.step + "/" + out
    return out


def machine_lines(monitor):
    """What the guest can see, a line each; and what is behind it."""
    lines, where = [], {}
    devices = tree(monitor.human("info qtree"))
    for device in devices:
        at = place(device)
        where[device.name] = at
        where[device.properties.get("drive", "").strip('"')] = at
        lines.append(at)
        for name, value in sorted(device.properties.items()):
            if name in OWN_NAMES or name in SAME or name.startswith("x-") or name.startswith("gpio"):
                continue
            lines.append(f"{at}: {name}={value}")
    where.pop("", None)
    # "auto" is what the drive behind it says, and libvirt says that.
    written_back = {}
    for block in monitor.ask("query-block"):
        cache = block.get("inserted", {}).get("cache", {})
        for name in (block["device"], *block.get("qdev", "").split("/")):
            written_back[where.get(name)] = cache.get("writeback", True)
    lines = [line.replace('write-cache="auto"', 'write-cache="on"' if written_back.get(line.split(": ")[0], True)
                          else 'write-cache="off"') for line in lines]
    for block in monitor.ask("query-block"):
        # A drive has a name, or its device has: "/machine/peripheral/sata0-0-1", "virtio-disk0".
        names = [block["device"], block.get("qdev", ""), *block.get("qdev", "").split("/")]
        flash = re.search(r"system\.flash(\d)$", names[1])
        at = flash.group(0) if flash else next((where[name] for name in names if name in where), None)
        if at is None:
            if block.get("inserted") or block.get("qdev"):
                raise Failed(f"nobody has the drive {block}")
            continue  # QEMU's empty drive for an SD card that no board here has
        # A drive given by name is the disk's inside of a USB stick, one given as a node is the stick's.
        at = re.sub(r"(/usb-storage[^/]*)/.*", r"\1", at.replace("/virtio-blk-device", ""))
        if not block.get("inserted"):
            lines.append(f"medium of {at}: none")
            continue
        inserted = block["inserted"]
        file = inserted["image"]["filename"]
        cache = inserted.get("cache", {})
        name = "the machine's store" if flash and flash.group(1) == "1" else os.path.basename(file)
        lines.append(f"medium of {at}: {name} {inserted['drv']} read-only={inserted['ro']} "
                     f"direct={cache.get('direct')} no-flush={cache.get('no-flush')} "
                     f"zeroes={inserted.get('detect_zeroes')}")
    lines += cards(monitor.human("info network"))
    for line in monitor.human("info usernet").splitlines():
        if "HOST_FORWARD" in line:
            parts = line.split()
            lines.append(f"forward {parts[0]} {parts[2]} {parts[3]} {parts[4]} {parts[5]}")
    cpus = monitor.ask("query-cpus-fast")
    lines.append(f"cpus: {len(cpus)}")
    for cpu in cpus:
        lines.append(f"cpu {cpu['cpu-index']}: " + json.dumps(cpu["props"], sort_keys=True))
    first = cpus[0]["qom-path"]
    lines.append("cpu model: " + monitor.ask("qom-get", path=first, property="type").replace("-i386-cpu", "-x86_64-cpu"))
    for word in monitor.ask("qom-get", path=first, property="feature-words"):
        key = ":".join(str(word.get(part)) for part in ("cpuid-input-eax", "cpuid-input-ecx", "cpuid-register"))
        lines.append(f"cpu features {key}: {word['features']:#x}")
    for name in ("vendor", "family", "model", "stepping", "model-id", "tsc-frequency", "hv-vendor-id", "kvm"):
        lines.append(f"cpu {name}: " + str(monitor.ask("qom-get", path=first, property=name)))
    for name in ("type", "smm", "vmport", "acpi", "hpet", "i8042"):
        try:
            lines.append(f"machine {name}: " + str(monitor.ask("qom-get", path="/machine", property=name)))
        except (Failed, subprocess.CalledProcessError):
            lines.append(f"machine {name}: has none")
    memory = monitor.ask("query-memory-size-summary")
    lines.append(f"memory: {memory['base-memory']}")
    rtc = [device.properties.get("lost_tick_policy") for device in devices if device.driver == "mc146818rtc"]
    lines.append(f"rtc: {rtc}")
    return sorted(lines)


def cards(text):
    """Each card with what it is connected to, directly or by a hub of two."""
    groups, out = [], []
    for line in text.splitlines():
        if not line.startswith(" "):
            groups.append([])
        if groups:
            groups[-1].append(line)
    for group in groups:
        macs = [re.search(r"macaddr=([0-9a-f:]+)", line).group(1) for line in group if "macaddr=" in line]
        ends = [re.sub(r"^.*?index=\d+,", "", line) for line in group
                if "type=" in line and "macaddr=" not in line and "type=hubport" not in line]
        out += [f"card {mac} to {end}" for mac in macs for end in ends or ["nothing"]]
    return out


class Case:
    def __init__(self, name):
        self.name = name
        self.script = os.path.join(WORK, "test", "cases", name + ".sh")
        self.folder = os.path.join(WORK, "source", name)
        self.ferry, self.differs = [], []
        os.makedirs(self.folder)
        self.copy = os.path.join(self.folder, "vm.sh")
        shutil.copy(self.script, self.copy)
        with open(self.script, encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("#: "):
                    self.prepare(line[3:].split())

    def prepare(self, words):
        verb, rest = words[0], words[1:]
        path = os.path.join(self.folder, rest[0])
        if verb == "image":
            os.makedirs(os.path.dirname(path), exist_ok=True)
            subprocess.run(["qemu-img", "create", "-q", "-f", rest[1], path, rest[2] if len(rest) > 2 else "1M"],
                           check=True)
        elif verb == "copy":
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(rest[1], path)
        elif verb == "kernel":  # as much of a Linux kernel as QEMU looks at
            header = bytearray(4096)
            header[0x1f1] = 1
            header[0x1fe:0x200] = b"\x55\xaa"
            header[0x202:0x208] = b"HdrS\x0c\x02"
            header[0x211] = 1
            header[0x22c:0x230] = b"\xff\xff\xff\x7f"
            with open(path, "wb") as out:
                out.write(header)
        elif verb == "folder":
            os.makedirs(path)
        elif verb == "ferry":
            self.ferry = rest
        elif verb == "differs":
            self.differs.append(re.compile(rest[0]))
        else:
            raise Failed(f"{self.script}: {verb}")

    def own_lines(self):
        """QEMU as the script starts it, stopped before the first instruction."""
        stand_ins = os.path.join(self.folder, ".bin")
        os.makedirs(stand_ins)
        monitor = os.path.join(RUN, "q")
        for program in QEMUS:
            real = "qemu-system-i386" if program == "qemu-system-i386" else "qemu-system-x86_64"
            path = os.path.join(stand_ins, program)
            with open(path, "w", encoding="utf-8") as out:
                out.write(f'#!/bin/sh\nexec /usr/bin/{real} "$@" -S -display none '
                          f'-qmp unix:{monitor},server=on,wait=off\n')
            os.chmod(path, 0o755)
        environment = dict(os.environ, PATH=stand_ins + ":" + os.environ["PATH"])
        log = open(os.path.join(RUN, "qemu.log"), "w", encoding="utf-8")
        process = subprocess.Popen(["bash", self.copy], cwd=self.folder, env=environment, stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            until = time.monotonic() + 30
            while True:
                try:
                    qmp = Qmp(path=monitor)
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > until:
                        log.flush()
                        raise Failed("QEMU does not start: " + open(log.name, encoding="utf-8").read()) from None
                    time.sleep(0.02)
            lines = machine_lines(qmp)
            qmp.ask("quit")
            process.wait(20)
            return lines
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            if os.path.exists(monitor):
                os.unlink(monitor)
            shutil.rmtree(stand_ins)

    def domain_lines(self):
        out = subprocess.run(["virt-ferry", "migrate", self.copy, "--name", self.name, *self.ferry],
                             capture_output=True, text=True, check=False)
        with open(os.path.join(RUN, "ferry.log"), "w", encoding="utf-8") as log:
            log.write(out.stdout + out.stderr)
        if out.returncode != 0:
            raise Failed(f"virt-ferry ends with {out.returncode}:\n{out.stdout}{out.stderr}")
        start = subprocess.run(["virsh", "-q", "start", "--paused", self.name], capture_output=True, text=True,
                               check=False)
        try:
            if start.returncode != 0:
                xml = subprocess.run(["virsh", "dumpxml", self.name], capture_output=True, text=True,
                                     check=False).stdout
                raise Failed(f"the domain does not start: {start.stderr}\n{xml}")
            return machine_lines(Qmp(domain=self.name))
        finally:
            subprocess.run(["virsh", "-q", "destroy", self.name], capture_output=True, check=False)
            subprocess.run(["virsh", "-q", "undefine", "--nvram", self.name], capture_output=True, check=False)

    def run(self):
        own, domain = self.own_lines(), self.domain_lines()
        only_own = [line for line in own if line not in set(domain)]
        only_domain = [line for line in domain if line not in set(own)]
        differences = [("QEMU:   ", line) for line in only_own] + [("domain: ", line) for line in only_domain]
        for pattern in self.differs:
            if not any(pattern.search(line) for _, line in differences):
                raise Failed(f"nothing differs any more in {pattern.pattern}")
        wrong = [who + line for who, line in differences
                 if not any(pattern.search(line) for pattern in self.differs + ALWAYS)]
        if wrong:
            raise Failed("the machines differ:\n  " + "\n  ".join(wrong))


# What libvirt does with every machine, and says nothing about what the guest sees.
ALWAYS = [re.compile(pattern) for pattern in (
    r"^fw_cfg",
)]


def main():
    failed = 0
    for name in sys.argv[1:]:
        start = time.monotonic()
        try:
            Case(name).run()
            print(f"ok      {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except (Failed, subprocess.CalledProcessError, OSError) as error:
            failed += 1
            print(f"FAILED  {name}: {error}", flush=True)
    sys.exit(1 if failed else 0)


main()
