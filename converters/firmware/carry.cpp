// SPDX-License-Identifier: Apache-2.0
// The template that belongs to the chosen loader is the base, because only it has the layout and the bookkeeping
// that this firmware expects; the source's variables are appended as firmware itself would write them.
#include "converters/firmware/carry.hpp"

#include <algorithm>

#include "converters/firmware/boot_option.hpp"
#include "converters/firmware/edk2_store.hpp"
#include "converters/firmware/findings.hpp"

#include "support/file.hpp"
#include "support/text.hpp"

namespace ferry::firmware {

namespace {

// Raw stores have 128 KiB to 768 KiB; AAVMF's file is 64 MiB.
constexpr std::uint64_t kMaxTemplateSize = std::uint64_t{64} << 20U;
// OVMF's limit for one variable with header and name (PcdMaxVariableSize of the 4M build): what the guest could not
// have written itself, it may not be able to read.
constexpr std::size_t kMaxVariableSize = 0x8400;

class Carrier {
 public:
  Carrier(Edk2Store store, const Selection &selection)
      : store_(std::move(store)), selection_(selection), budget_(store_.capacity() / 2) {
    result_.kept = selection.kept;
    result_.dropped = selection.dropped;
    result_.findings = selection.findings;
  }

  void run() {
    carry_keys();
    carry_entries();
  }
  const Edk2Store &store() { return store_; }
  const std::vector<Variable> &written() { return written_; }
  CarryResult &result() { return result_; }

 private:
  // Half of the store stays free for the guest; firmware reclaims deleted copies only when it must.
  [[nodiscard]] bool fits(const Variable &variable) const {
    const std::size_t size = Edk2Store::size_of(variable);
    return size <= kMaxVariableSize && size <= budget_ && size <= store_.free_bytes();
  }

  bool put(const Variable &variable) {
    if (!fits(variable)) {
      result_.findings.push_back(raise(kVariableTooLarge, {},
                                       "the UEFI variable " + shown(variable.name) + " of " +
                                           std::to_string(variable.data.size()) + " bytes does not fit"));
      return false;
    }
    budget_ -= Edk2Store::size_of(variable);
    store_.put(variable);
    written_.push_back(variable);
    return true;
  }

  // All of a key set or nothing: a platform key without its databases boots nothing at all.
  void carry_keys() {
    if (selection_.keys.empty()) return;
    std::size_t sum = 0;
    for (const Variable &key : selection_.keys) sum += Edk2Store::size_of(key);
    const bool too_large =
        sum > budget_ || !std::ranges::all_of(selection_.keys, [&](const Variable &key) { return fits(key); });
    const bool enrolled = find(store_.variables(), u"PK", kGlobalGuid) != nullptr;
    if (too_large || enrolled) {
      result_.findings.push_back(raise(kKeysNotCarried, {},
                                       enrolled
                                           ? "the host's variable store has Secure Boot keys of its own, which stay"
                                           : "the source's Secure Boot keys are too large for the host's store"));
      return;
    }
    for (const Variable &key : selection_.keys) put(key);
    result_.keys_carried = true;
  }

  void carry_entries() {
    std::vector<std::uint16_t> order = selection_.order;
    for (const Variable &entry : selection_.boot_entries) {
      if (!put(entry)) lose(*boot_number(entry.name), order);
    }
    if (order.empty()) return;
    append_template_order(order);
    Variable variable{
        .name = u"BootOrder", .guid = kGlobalGuid, .attributes = kAttributesRuntime, .timestamp = {}, .data = {}};
    for (const std::uint16_t number : order) {
      variable.data.push_back(static_cast<std::uint8_t>(number & 0xFFU));
      variable.data.push_back(static_cast<std::uint8_t>(number >> 8U));
    }
    put(variable);
  }

  void lose(std::uint16_t number, std::vector<std::uint16_t> &order) {
    std::erase(order, number);
    const auto entry = std::ranges::find(result_.kept, number, &KeptEntry::number);
    if (entry == result_.kept.end()) return;
    result_.dropped.push_back({number, entry->description, "it does not fit into the host's store"});
    result_.kept.erase(entry);
  }

  // The template's own entries stay behind the guest's, but for numbers that the guest's took over.
  void append_template_order(std::vector<std::uint16_t> &order) {
    const Variable *own = find(store_.variables(), u"BootOrder", kGlobalGuid);
    if (own == nullptr) return;
    for (const char16_t number : text::utf16_units(own->data, std::endian::little)) {
      const std::u16string name = boot_name(number);
      const bool live = find(store_.variables(), name, kGlobalGuid) != nullptr;
      const bool taken = find(selection_.boot_entries, name, kGlobalGuid) != nullptr;
      if (live && !taken && std::ranges::find(order, std::uint16_t{number}) == order.end()) order.push_back(number);
    }
  }

  Edk2Store store_;
  const Selection &selection_;
  std::size_t budget_;
  std::vector<Variable> written_;
  CarryResult result_;
};

// Reads the new store as firmware will, and looks for everything that was put in.
void verify(const Edk2Store &store, const std::vector<Variable> &written, const std::filesystem::path &target) {
  const Place place{.file = target, .line = std::nullopt, .path = {}};
  const Edk2Store again(store.bytes(), place);
  again.require_erased_tail();
  for (const Variable &variable : written) {
    const Variable *found = find(again.variables(), variable.name, variable.guid);
    if (found == nullptr || *found != variable) {
      throw Error(ErrorKind::verify,
                  {.where = place, .message = "the UEFI variable " + shown(variable.name) + " cannot be read back"});
    }
  }
}

}  // namespace

CarryResult carry_variables(const Selection &selection, const std::filesystem::path &template_store,
                            const std::filesystem::path &target) {
  const FileRange whole{.file = template_store, .offset = 0, .length = std::nullopt};
  Edk2Store store(file::read_range(whole, kMaxTemplateSize),
                  {.file = template_store, .line = std::nullopt, .path = {}});
  store.require_erased_tail();
  Carrier carrier(std::move(store), selection);
  carrier.run();
  verify(carrier.store(), carrier.written(), target);
  file::publish_private(target, carrier.store().bytes());
  return std::move(carrier.result());
}

}  // namespace ferry::firmware
