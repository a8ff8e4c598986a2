// SPDX-License-Identifier: Apache-2.0
// Processors and memory.
#include <algorithm>
#include <cstdint>

#include "importers/ovf/device_parts.hpp"
#include "importers/ovf/ovirt.hpp"
#include "importers/ovf/units.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// An amount of memory below this cannot be meant in bytes: no guest starts in it.
constexpr std::uint64_t kSmallestMemory = std::uint64_t{1} << 20U;
constexpr unsigned kMostProcessors = 4096;  // above what QEMU and any source platform can do

void set_instruction_set(const Item &item, Cpu &cpu) {
  const auto set = item.text("InstructionSet");
  if (!set) return;
  const std::string lower = text::lower_ascii(*set);
  item.take("InstructionSet", "hardware.cpu.architecture");
  if (lower.find("x86") != std::string::npos || lower.find("ia32") != std::string::npos ||
      lower.find("i386") != std::string::npos || lower.find("amd64") != std::string::npos) {
    const bool wide = lower.find("64") != std::string::npos;
    cpu.architecture = wide ? Cpu::Architecture::x86_64 : Cpu::Architecture::x86;
  } else if (lower.find("aarch64") != std::string::npos || lower.find("arm") != std::string::npos) {
    cpu.architecture = Cpu::Architecture::arm64;
  } else {
    throw Error(ErrorKind::unsupported, {.where = item.reader().place(),
                                         .message = "the package is for a processor that virt-ferry does not support",
                                         .found = in_quotes(*set),
                                         .expected = "x86, x86-64 or 64-bit ARM"});
  }
}

// oVirt: num_of_sockets x cpu_per_socket x threads_per_cpu.
unsigned ovirt_processors(const Item &item, unsigned sockets, Cpu &cpu) {
  const unsigned cores = std::clamp(item.number("cpu_per_socket").value_or(1), 1U, kMostProcessors);
  const unsigned threads = std::clamp(item.number("threads_per_cpu").value_or(1), 1U, 64U);
  item.take("num_of_sockets", "hardware.cpu.count");
  item.take("cpu_per_socket", "hardware.cpu.cores_per_socket");
  item.take("threads_per_cpu", "hardware.cpu.threads_per_core");
  cpu.cores_per_socket = cores;
  if (threads > 1) cpu.threads_per_core = threads;
  return std::min(sockets, kMostProcessors) * cores * threads;
}

}  // namespace

void add_processor(Context &in, const Item &item, unsigned &count) {
  Cpu &cpu = in.machine.hardware.cpu;
  item.take_identity("hardware.cpu.count");
  item.take("VirtualQuantity", "hardware.cpu.count");
  item.take("ResourceSubType", "hardware.cpu");
  auto quantity = item.number("VirtualQuantity");
  if (const auto sockets = item.number("num_of_sockets")) quantity = ovirt_processors(item, *sockets, cpu);
  if (!quantity || *quantity == 0 || *quantity > kMostProcessors) {
    in.raise(finding::kUnitsGuessed, item.reader().place(),
             "the number of processors " + in_quotes(item.text("VirtualQuantity").value_or("")) +
                 " is not a usable number; 1 is used");
  }
  const bool usable = quantity && *quantity > 0 && *quantity <= kMostProcessors;
  count += usable ? *quantity : 1;
  if (const auto cores = item.number("CoresPerSocket"); cores && *cores > 0) cpu.cores_per_socket = *cores;
  item.take("CoresPerSocket", "hardware.cpu.cores_per_socket");
  set_instruction_set(item, cpu);
  cpu.origin = item.reader().place();
}

void add_memory(Context &in, const Item &item) {
  Memory &memory = in.machine.hardware.memory;
  item.take_identity("hardware.memory.bytes");
  for (const char *child : {"VirtualQuantity", "AllocationUnits", "VirtualQuantityUnits"}) {
    item.take(child, "hardware.memory.bytes");
  }
  memory.origin = item.reader().place();
  const auto amount = item.text("VirtualQuantity");
  // Nothing said, or 0: the target chooses, and says so, as for every kind of source.
  if (!amount || to_bytes(*amount, 1) == 0) return;
  const auto units = item.text("AllocationUnits") ? item.text("AllocationUnits") : item.text("VirtualQuantityUnits");
  const auto unit = units ? bytes_per_unit(*units) : std::nullopt;
  auto bytes = to_bytes(*amount, unit.value_or(1));
  if (!bytes || *bytes < kSmallestMemory) {
    // Exporters that leave the units out mean mebibytes; nobody means bytes.
    const auto guessed = to_bytes(*amount, std::uint64_t{1} << 20U);
    in.raise(finding::kUnitsGuessed, memory.origin,
             "the amount of memory, " + in_quotes(*amount) + " " + (units ? in_quotes(*units) : "without units") +
                 ", is read as mebibytes");
    bytes = guessed;
  }
  if (!bytes) {
    throw Error(ErrorKind::malformed, {.where = memory.origin,
                                       .message = "the amount of memory is not a number",
                                       .found = in_quotes(*amount),
                                       .expected = "a number in VirtualQuantity"});
  }
  if (*bytes > UINT64_MAX - memory.bytes) memory.bytes = 0;
  memory.bytes += *bytes;
}

void set_processors(Context &in, unsigned count) {
  in.machine.hardware.cpu.count = std::clamp(count, 1U, kMostProcessors);
}

}  // namespace ferry::ovf
