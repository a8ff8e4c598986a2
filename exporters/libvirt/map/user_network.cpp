// SPDX-License-Identifier: Apache-2.0
// Cards on a user network: port forwards, and the addresses that the guest knows.
#include <algorithm>

#include "exporters/libvirt/map/nic_parts.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

constexpr std::string_view kQemusOwn = "10.0.2.0/24";

// Dotted decimal. What is not could smuggle options into QEMU's argument.
bool is_ipv4(std::string_view text) {
  unsigned parts = 0;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    const auto value = text::parse_u64(part);
    if (part.size() > 3 || !value || *value > 255) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    text.remove_prefix(dot + 1);
  }
}

class UserNetwork {
 public:
  UserNetwork(Mapping &m, std::size_t index, const Nic &nic, DomainInterface &out)
      : m_(m), index_(index), nic_(nic), out_(out) {}

  void map_forwards() {
    const std::string list = nic_field(index_, "forwards");
    m_.keep(list);
    const std::vector<Rule> wanted = wanted_forwards(list);
    if (wanted.empty()) return;
    if (out_.type != "user" || !out_.link_up) {
      m_.drop(list, "only a user network forwards ports");
      m_.raise(kForwardDropped, nic_.origin, nic_label(index_) + "'s port forwards do not apply to its new network.");
      return;
    }
    const bool passt = use_passt();
    if (!passt && !m_.host_has_libvirt(8, 2)) {  // <qemu:override>
      m_.drop(list, "this host's libvirt cannot forward ports of a user network");
      m_.raise(kForwardDropped, nic_.origin, nic_label(index_) + "'s port forwards need libvirt 8.2 or passt.");
      return;
    }
    std::vector<HostForward> rules;
    for (const Rule &one : wanted) forward(one.forward, one.field, passt, rules);
    m_.host_ports.insert(m_.host_ports.end(), rules.begin(), rules.end());
    if (rules.empty()) return;
    if (passt) {
      out_.passt = true;
      out_.forwards = std::move(rules);
      m_.raise(kForwardByPasst, nic_.origin,
               nic_label(index_) + " forwards its ports through passt; the guest gets the host's address by DHCP.");
    } else {
      forward_by_arguments(rules);
    }
  }

  void map_address() {
    const std::string cidr = nic_field(index_, "nat_cidr");
    m_.keep(cidr);
    if (out_.type != "user" || !out_.link_up || nic_.mode != NicMode::nat) {
      if (nic_.nat_cidr) m_.drop(cidr, "the card is not on a user network");
      return;
    }
    if (out_.passt) {
      if (nic_.nat_cidr) m_.drop(cidr, "passt gives the guest the host's address");
      return;
    }
    out_.ip = user_ip();
    out_.prefix = user_prefix();
  }

  // A host whose QEMU lacks the user network that is built in has passt only, for cards without forwards too.
  void map_back_end() {
    if (out_.type == "user" && has_passt() && !has_built_in()) out_.passt = true;
  }

 private:
  // A forward of the source, changed as asked, or one that was asked for, which no field of the model has.
  struct Rule {
    PortForward forward;
    std::string field;
  };

  std::vector<Rule> wanted_forwards(const std::string &list) {
    const auto found = m_.options.forwards.find(index_);
    std::vector<target::Forward> asked;
    if (found != m_.options.forwards.end()) asked = found->second;
    std::vector<Rule> out;
    for (std::size_t i = 0; i < nic_.forwards.size(); ++i) {
      Rule rule{nic_.forwards[i], field_at(list, i)};
      const bool tcp = rule.forward.protocol == PortForward::Protocol::tcp;
      const auto answers = [&](const target::Forward &one) {
        return one.tcp == tcp && (one.guest_port == 0 ? one.host_port == rule.forward.host_port
                                                      : one.guest_port == rule.forward.guest_port);
      };
      const auto change = std::find_if(asked.begin(), asked.end(), answers);
      if (change == asked.end()) {
        out.push_back(std::move(rule));
        continue;
      }
      if (change->guest_port == 0) {
        m_.drop(rule.field, "left out as --forward asks");
        continue;
      }
      rule.forward.host_port = change->host_port;
      if (!change->address.empty()) rule.forward.host_address = change->address;
      out.push_back(std::move(rule));
      asked.erase(change);  // the next one for that port of the guest is another forward
    }
    for (const target::Forward &one : asked) {
      if (one.guest_port == 0) continue;
      PortForward added;
      added.protocol = one.tcp ? PortForward::Protocol::tcp : PortForward::Protocol::udp;
      added.host_address = one.address;
      added.host_port = one.host_port;
      added.guest_port = one.guest_port;
      added.origin = nic_.origin;
      out.push_back({std::move(added), {}});
    }
    return out;
  }

  void drop_rule(const std::string &field, std::string_view why) {
    if (!field.empty()) m_.drop(field, why);
  }

  [[nodiscard]] bool has_passt() const { return m_.host.passt && has(m_.host.network_backends, "passt"); }
  [[nodiscard]] bool has_built_in() const { return unknown_or_has(m_.host.network_backends, "default"); }

  // passt makes the host's connections come from the host's gateway, so that the guest's answers leave by its default
  // route: the first card that is connected. On further cards the host needs an address in the card's own network, as
  // QEMU's built-in user network gives it [tried: libvirt 11.3 and 12.8, forwards on two cards].
  [[nodiscard]] bool use_passt() const {
    const auto &before = m_.domain.interfaces;
    const bool first =
        std::none_of(before.begin(), before.end(), [](const DomainInterface &other) { return other.link_up; });
    return has_passt() && (first || !has_built_in());
  }

  static bool any_address(const std::string &address) { return address.empty() || address == "0.0.0.0"; }

  // What else listens there, if anything: two listeners on one port keep the machine from starting.
  [[nodiscard]] bool is_taken(const HostForward &rule, bool passt, const std::vector<HostForward> &rules) const {
    const auto same_port = [&](const HostForward &other) {
      return other.protocol == rule.protocol && other.host_port == rule.host_port;
    };
    const auto meets = [&](const HostForward &other) {
      return same_port(other) &&
             (other.address == rule.address || any_address(other.address) || any_address(rule.address));
    };
    // passt leads a port of all addresses to one port of the guest [tried: the last one wins].
    const auto bends = [&](const HostForward &other) {
      return passt && same_port(other) && other.guest_port != rule.guest_port;
    };
    return std::any_of(m_.host_ports.begin(), m_.host_ports.end(), meets) ||
           std::any_of(rules.begin(), rules.end(), [&](const HostForward &o) { return meets(o) || bends(o); });
  }

  void forward(const PortForward &rule, const std::string &field, bool passt, std::vector<HostForward> &rules) {
    const bool tcp = rule.protocol == PortForward::Protocol::tcp;
    const std::string text = std::string(tcp ? "tcp" : "udp") + " " + rule.host_address + ":" +
                             std::to_string(rule.host_port) + " to port " + std::to_string(rule.guest_port);
    if (rule.host_port < 1024 && m_.session()) {
      drop_rule(field, "an ordinary user cannot listen on ports below 1024");
      m_.raise(kForwardDropped, rule.origin,
               "The port forward " + text + " is left out: ports below 1024 are reserved for root.");
      return;
    }
    if (rule.host_port == 0 || rule.guest_port == 0) {
      drop_rule(field, "a port forward needs both ports");
      m_.raise(kForwardDropped, rule.origin, "The port forward " + text + " is left out: a port is missing.");
      return;
    }
    for (const std::string &address : {rule.host_address, rule.guest_address}) {
      if (address.empty() || is_ipv4(address)) continue;
      drop_rule(field, "'" + address + "' is not an IPv4 address");
      m_.raise(kForwardDropped, rule.origin,
               "The port forward " + text + " is left out: '" + address + "' is not an IPv4 address.");
      return;
    }
    const HostForward made{tcp ? "tcp" : "udp", rule.host_address, rule.guest_address, rule.host_port, rule.guest_port};
    if (is_taken(made, passt, rules)) {
      drop_rule(field, "another port forward has that port of the host");
      m_.raise(kForwardDropped, rule.origin,
               "The port forward " + text + " is left out: another forward of this machine uses that port of the host.",
               "Choose another port of the host with --forward.");
      return;
    }
    if (!any_address(made.address) && !made.address.starts_with("127.")) {
      m_.raise(kForwardAddress, rule.origin,
               "The machine only starts while this host has the address " + made.address + ", of the port forward " +
                   text + ".");
    }
    m_.listen({made.protocol, made.address, rule.host_port, nic_label(index_) + "'s port forward", rule.origin});
    rules.push_back(made);
    if (field.empty()) return;
    m_.translate(field,
                 passt ? "forwarded by passt, to whatever address the guest has" : "forwarded by the user network");
  }

  // libvirt 9 has no port forwarding. The card stays libvirt's own, but its back end is one of ours [tried on 9.0].
  void forward_by_arguments(const std::vector<HostForward> &rules) {
    out_.alias = "ua-nic" + std::to_string(index_);
    const std::string id = "ferry-user" + std::to_string(index_);
    std::string netdev = "user,id=" + id;
    if (!user_ip().empty()) netdev += ",net=" + user_ip() + "/" + std::to_string(user_prefix());
    for (const HostForward &rule : rules) {
      netdev += ",hostfwd=" + rule.protocol + ":" + rule.address + ":" + std::to_string(rule.host_port) + "-" +
                rule.guest_address + ":" + std::to_string(rule.guest_port);
    }
    m_.domain.qemu_arguments.insert(m_.domain.qemu_arguments.end(), {"-netdev", netdev});
    m_.domain.qemu_overrides.push_back({out_.alias, {{"netdev", "string", id}}});
    m_.taint(nic_label(index_) + "'s port forwards");
  }

  // QEMU's own user network needs no word; guest, gateway and name server have the same addresses in any.
  [[nodiscard]] std::string user_ip() const {
    if (!nic_.nat_cidr || *nic_.nat_cidr == kQemusOwn) return {};
    std::string address = nic_.nat_cidr->substr(0, nic_.nat_cidr->find('/'));
    return is_ipv4(address) ? address : std::string{};
  }

  [[nodiscard]] unsigned user_prefix() const {
    if (!nic_.nat_cidr || nic_.nat_cidr->find('/') == std::string::npos) return 24;
    const auto value = text::parse_u64(nic_.nat_cidr->substr(nic_.nat_cidr->find('/') + 1));
    return value && *value >= 8 && *value <= 28 ? static_cast<unsigned>(*value) : 24;
  }

  Mapping &m_;
  std::size_t index_;
  const Nic &nic_;
  DomainInterface &out_;
};

}  // namespace

void map_forwards(Mapping &m, std::size_t index, const Nic &nic, DomainInterface &out) {
  UserNetwork(m, index, nic, out).map_forwards();
}

void map_back_end(Mapping &m, std::size_t index, const Nic &nic, DomainInterface &out) {
  UserNetwork(m, index, nic, out).map_back_end();
}

void map_user_address(Mapping &m, std::size_t index, const Nic &nic, DomainInterface &out) {
  UserNetwork(m, index, nic, out).map_address();
}

void compare_loopback(Mapping &m) {
  std::string cards;
  const Nic *first = nullptr;
  bool several = false;
  for (std::size_t i = 0; i < m.hardware.nics.size(); ++i) {
    const Nic &nic = m.hardware.nics[i];
    const DomainInterface &out = m.domain.interfaces.at(i);
    const std::string field = nic_field(i, "nat_reaches_loopback");
    const bool reached = nic.mode == NicMode::nat && nic.nat_reaches_loopback.value_or(false);
    if (out.type != "user" || !out.link_up) {
      if (nic.nat_reaches_loopback) m.drop(field, "the card is not on a user network");
    } else if (reached) {
      m.keep(field, "through the gateway's address, as before");
    } else {
      m.drop(field, "a user network's gateway address is the host's loopback address");
      several = first != nullptr;
      if (first == nullptr) first = &nic;
      cards += (cards.empty() ? "" : ", ") + std::to_string(i + 1);
    }
  }
  if (first == nullptr) return;
  m.raise(kNicReachesLoopback, first->origin,
          (several ? "Network cards " : "Network card ") + cards + (several ? " let" : " lets") +
              " the guest reach, at its gateway's address, what listens on the host's 127.0.0.1 only.");
}

}  // namespace ferry::libvirt
