// SPDX-License-Identifier: Apache-2.0
// The SMBIOS UUID in the guest's byte order.
//
// QEMU lays the UUID into the table with its first three fields little-endian and says SMBIOS 2.8, so every guest
// prints it as written. What a guest printed on the source depends on the bytes there and on the guest: Windows
// reads little-endian always, Linux only from SMBIOS 2.6 on (kernel, drivers/firmware/dmi_scan.c).
#include "migration/identity.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "migration/findings.hpp"

namespace ferry::migration {
namespace {

// Pseudo-random, but the same for the same seed, so that a plan can be repeated (SplitMix64).
class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

// FNV-1a.
std::uint64_t seed_of(const Machine &machine, const std::string &name) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : machine.source.file.string() + '\n' + name + '\n' + machine.name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  return hash;
}

// ---- UUID ----

Uuid random_uuid(std::uint64_t seed) {
  SeededRandom random(seed ^ 0x5555U);
  Uuid uuid;
  for (std::size_t i = 0; i < 16; i += 8) {
    std::uint64_t word = random.next();
    for (std::size_t j = 0; j < 8; ++j, word >>= 8U) uuid.bytes[i + j] = static_cast<std::uint8_t>(word);
  }
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0FU) | 0x40U);  // version 4
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3FU) | 0x80U);  // RFC 4122 variant
  return uuid;
}

DecidedUuid decided(const Uuid &uuid, Disposition disposition, std::string note) {
  return {uuid, {.findings = {}, .settlements = {{"hardware.smbios.uuid", disposition, std::move(note)}}}};
}

DecidedUuid kept_uuid(const Machine &machine, std::uint64_t seed) {
  const Smbios &smbios = machine.hardware.smbios;
  const std::optional<Uuid> source = smbios.uuid ? smbios.uuid : machine.uuid;
  if (!source || !is_usable(*source)) {
    DecidedUuid out = decided(random_uuid(seed), Disposition::dropped, "not usable: the guest gets a new one");
    // Of an OVF and a box for libvirt, which never state one, the importer has said so.
    const SourceKind kind = machine.source.kind;
    const bool said = kind == SourceKind::ovf || (kind == SourceKind::vagrant && machine.hardware.described_by_qemu());
    if (source || !said) {
      out.account.findings.push_back(
          raise(kUuidGenerated, smbios.origin, "The source has no usable UUID for the guest; it gets a new one."));
    }
    return out;
  }
  const Uuid table = smbios.uuid_little_endian ? source->swapped() : *source;
  const bool as_before = machine.guest_os.family == OsFamily::linux && smbios.older_than_2_6;
  const Uuid uuid = as_before ? table : table.swapped();
  const std::string text = uuid.text();
  DecidedUuid out = decided(uuid, Disposition::kept,
                            as_before ? "Linux prints the same text as before: " + text
                                      : "the same bytes in the SMBIOS table; the guest prints " + text);
  out.account.findings.push_back(raise(kUuidChoice, smbios.origin,
                                       "The guest's SMBIOS UUID is " + text +
                                           (as_before ? ": Linux prints the same text as on the source."
                                                      : ": the same 16 bytes in the table as on the source.")));
  return out;
}

// Copies of one machine in one batch: the first that comes keeps the UUID.
DecidedUuid uuid_beside(const Machine &machine, const IdentityContext &context, const std::string &other) {
  DecidedUuid out = decided(random_uuid(context.seed), Disposition::translated,
                            "a new UUID: another machine of this run has the source's");
  out.account.findings.push_back(
      raise(kUuidShared, machine.hardware.smbios.origin,
            "The source's UUID is that of the machine \"" + other + "\" too; this one gets " + out.uuid.text() + "."));
  return out;
}

DecidedUuid chosen_uuid(const Machine &machine, const IdentityContext &context) {
  switch (context.options.uuid_policy) {
    case UuidPolicy::keep: return kept_uuid(machine, context.seed);
    case UuidPolicy::regenerate:
      return decided(random_uuid(context.seed), Disposition::translated, "a new UUID, as asked");
    case UuidPolicy::given: break;
  }
  return decided(context.options.uuid, Disposition::translated, "the given UUID");
}

// ---- addresses of network cards ----

class CardDecider {
 public:
  CardDecider(const Hardware &hardware, const std::string &prefix, const IdentityContext &context)
      : hardware_(hardware), prefix_(prefix), context_(context), random_(context.seed ^ 0x4E4943U) {
    for (const Nic &nic : hardware.nics) {
      if (nic.mac) taken_.insert(nic.mac->text());
    }
  }

  std::vector<target::Identity::Card> decide() {
    std::vector<target::Identity::Card> out;
    for (std::size_t i = 0; i < hardware_.nics.size(); ++i) {
      out.push_back(card(i));
      refuse_clash(i, out.back().mac);
      taken_.insert(out.back().mac.text());
    }
    return out;
  }

 private:
  target::Identity::Card card(std::size_t i) {
    const Nic &nic = hardware_.nics[i];
    const MacAddress generated = generate();  // drawn for each card: the others' stay the same
    const std::string field = prefix_ + ".nics." + std::to_string(i) + ".mac";
    const auto given = context_.options.macs.find(i);
    if (given != context_.options.macs.end())
      return {given->second, {{}, {{field, Disposition::translated, "the given address"}}}};
    if (context_.options.mac_policy == MacPolicy::regenerate || !nic.mac)
      return {generated, {{}, {{field, Disposition::translated, "a new address"}}}};
    if (nic.mac->is_multicast()) {
      return {generated,
              {{raise(kMacInvalid, nic.origin,
                      "Network card " + std::to_string(i + 1) + " has the multicast address " + nic.mac->text() +
                          "; it gets a new one.")},
               {{field, Disposition::translated, "a new address: the source's is a multicast address"}}}};
    }
    if (const auto owner = context_.taken.macs.find(nic.mac->text()); owner != context_.taken.macs.end() &&
                                                                      context_.taken.is_planned(owner->second) &&
                                                                      owner->second != context_.name) {
      return {generated,
              {{raise(kMacShared, nic.origin,
                      "Network card " + std::to_string(i + 1) + " has the address " + nic.mac->text() +
                          " of the machine \"" + owner->second + "\"; it gets " + generated.text() + ".")},
               {{field, Disposition::translated, "a new address: another machine of this run has the source's"},
                {field + "_generated", Disposition::kept, {}}}}};
    }
    return {*nic.mac, {{}, {{field, Disposition::kept, {}}, {field + "_generated", Disposition::kept, {}}}}};
  }

  MacAddress generate() {
    while (true) {
      const std::uint64_t word = random_.next();
      const MacAddress mac{{0x52, 0x54, 0x00, static_cast<std::uint8_t>(word), static_cast<std::uint8_t>(word >> 8U),
                            static_cast<std::uint8_t>(word >> 16U)}};
      if (!taken_.contains(mac.text()) && !context_.taken.macs.contains(mac.text())) return mac;
    }
  }

  void refuse_clash(std::size_t i, const MacAddress &mac) const {
    const auto owner = context_.taken.macs.find(mac.text());
    if (owner == context_.taken.macs.end() || owner->second == context_.name) return;
    throw Error(ErrorKind::conflict,
                {.where = hardware_.nics[i].origin,
                 .message = "the MAC address is already used by the domain '" + owner->second + "'",
                 .found = mac.text(),
                 .expected = "an address that no domain on this connection has",
                 .advice = "Use --mac new, or --mac " + std::to_string(i + 1) + "=XX:XX:XX:XX:XX:XX for this card."});
  }

  const Hardware &hardware_;
  const std::string &prefix_;
  const IdentityContext &context_;
  SeededRandom random_;
  std::set<std::string> taken_;
};

}  // namespace

bool is_usable(const Uuid &uuid) {
  return std::any_of(uuid.bytes.begin(), uuid.bytes.end(), [&](std::uint8_t b) { return b != uuid.bytes[0]; });
}

IdentityContext::IdentityContext(const IdentityOptions &its_options, const target::Taken &its_taken,
                                 const Machine &machine, std::string new_name)
    : options(its_options),
      taken(its_taken),
      name(std::move(new_name)),
      seed(its_options.seed != 0 ? its_options.seed : seed_of(machine, name)) {}

DecidedUuid decide_uuid(const Machine &machine, const IdentityContext &context) {
  DecidedUuid out = chosen_uuid(machine, context);
  const auto taken = context.taken.uuids.find(out.uuid.text());
  // A machine of the same name is the one that this one would replace; that name is another question.
  if (taken == context.taken.uuids.end() || taken->second == context.name) return out;
  if (context.options.uuid_policy == UuidPolicy::keep && context.taken.is_planned(taken->second))
    return uuid_beside(machine, context, taken->second);
  throw Error(ErrorKind::conflict, {.where = machine.hardware.smbios.origin,
                                    .message = "the UUID is already used by the domain '" + taken->second + "'",
                                    .found = out.uuid.text(),
                                    .expected = "a UUID that no domain on this connection has",
                                    .advice = "Use --uuid new, or give another one with --uuid."});
}

DecidedUuid snapshot_uuid(const Uuid &uuid, const std::string &prefix) {
  return {uuid,
          {.findings = {}, .settlements = {{prefix + ".smbios.uuid", Disposition::translated, "the given UUID"}}}};
}

std::vector<target::Identity::Card> decide_cards(const Hardware &hardware, const std::string &prefix,
                                                 const IdentityContext &context) {
  return CardDecider(hardware, prefix, context).decide();
}

}  // namespace ferry::migration
