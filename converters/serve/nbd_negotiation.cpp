// SPDX-License-Identifier: Apache-2.0
// The handshake: which disk, and how it is spoken of.
#include <algorithm>
#include <vector>

#include "converters/serve/disk_view.hpp"
#include "converters/serve/nbd_protocol.hpp"
#include "converters/serve/nbd_server.hpp"

namespace ferry::serve {
namespace {

using namespace nbd;

// What is left of an option's data; ok() is false once more was taken than there is.
class Data {
 public:
  explicit Data(std::string_view bytes) : rest_(bytes) {}

  template <class Integer>
  Integer number() {
    const std::string_view raw = bytes(sizeof(Integer));
    std::uint64_t value = 0;
    for (const char byte : raw) value = value << 8U | static_cast<std::uint8_t>(byte);
    return static_cast<Integer>(value);
  }
  std::string_view bytes(std::size_t length) {
    if (length > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }
  std::string_view text() { return bytes(number<std::uint32_t>()); }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool is_whole() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

class Negotiation {
 public:
  Negotiation(Wire &wire, std::span<const Export> exports) : wire_(wire), exports_(exports) {}

  std::optional<Agreed> run() {
    if (!greet()) return std::nullopt;
    for (std::uint32_t count = 0; count < kMostOptions && !agreed_.disk; ++count) {
      std::uint64_t magic = 0;
      std::uint32_t length = 0;
      if (!wire_.read_number(magic) || magic != kOption || !wire_.read_number(option_) || !wire_.read_number(length) ||
          length > kLongestOption)
        return std::nullopt;
      std::string data(length, '\0');
      if (!wire_.read(data.data(), data.size()) || !answer(data)) return std::nullopt;
    }
    if (!agreed_.disk) return std::nullopt;
    agreed_.allocation = agreed_.structured && allocation_of_ == agreed_.disk;
    return agreed_;
  }

 private:
  bool greet() {
    std::string greeting;
    append(greeting, kGreeting);
    append(greeting, kOption);
    append(greeting, static_cast<std::uint16_t>(kFixedNewstyle | kNoZeroes));
    std::uint32_t flags = 0;
    if (!wire_.write(greeting) || !wire_.read_number(flags)) return false;
    no_zeroes_ = (flags & kNoZeroes) != 0;
    return (flags & ~std::uint32_t{kFixedNewstyle | kNoZeroes}) == 0;
  }

  // False: the connection ends.
  bool answer(std::string_view data) {
    switch (static_cast<Option>(option_)) {
      case Option::export_name: return name_export(data);
      case Option::abort: (void)reply(Reply::ack); return false;
      case Option::list: return data.empty() ? list() : reply(Reply::invalid, "NBD_OPT_LIST has no data");
      case Option::info:
      case Option::go: return inform(Data(data));
      case Option::structured_reply:
        if (!data.empty()) return reply(Reply::invalid, "NBD_OPT_STRUCTURED_REPLY has no data");
        agreed_.structured = true;
        return reply(Reply::ack);
      case Option::list_meta_context:
      case Option::set_meta_context: return contexts(Data(data));
      case Option::starttls: break;
    }
    return reply(Reply::unsupported, "this server has no such option");
  }

  [[nodiscard]] const Export *find(std::string_view name) const {
    if (name.empty() && exports_.size() == 1) return &exports_.front();
    const auto found =
        std::find_if(exports_.begin(), exports_.end(), [&](const Export &one) { return one.name == name; });
    return found == exports_.end() ? nullptr : &*found;
  }

  [[nodiscard]] std::string head(Reply type, std::size_t length) const {
    std::string out;
    append(out, kOptionReply);
    append(out, option_);
    append(out, type);
    append(out, static_cast<std::uint32_t>(length));
    return out;
  }
  [[nodiscard]] bool reply(Reply type, std::string_view data = {}) const {
    const std::string begin = head(type, data.size());
    const std::string_view parts[]{begin, data};
    return wire_.write(parts);
  }

  [[nodiscard]] std::uint16_t flags() const {
    return static_cast<std::uint16_t>(kHasFlags | kReadOnly | kCanMultiConn | (agreed_.structured ? kSendDf : 0));
  }

  // The old way to choose: there is no answer that says no.
  bool name_export(std::string_view name) {
    agreed_.disk = find(name);
    if (agreed_.disk == nullptr) return false;
    std::string out;
    append(out, DiskView::size_of(*agreed_.disk->disk));
    append(out, flags());
    constexpr std::size_t kZeroes = 124;
    if (!no_zeroes_) out.append(kZeroes, '\0');
    return wire_.write(out);
  }

  [[nodiscard]] bool list() const {
    for (const Export &one : exports_) {
      std::string data;
      append(data, static_cast<std::uint32_t>(one.name.size()));
      if (!reply(Reply::server, data + one.name)) return false;
    }
    return reply(Reply::ack);
  }

  bool inform(Data data) {
    const std::string_view name = data.text();
    const auto count = data.number<std::uint16_t>();
    bool sizes_wanted = false;
    for (unsigned i = 0; i < count && data.ok(); ++i)
      sizes_wanted = data.number<std::uint16_t>() == as_number(Info::block_size) || sizes_wanted;
    if (!data.is_whole()) return reply(Reply::invalid, "the option's lengths do not add up");
    const Export *disk = find(name);
    if (disk == nullptr) return reply(Reply::unknown, "there is no export of this name");
    std::string about;
    append(about, Info::disk);
    append(about, DiskView::size_of(*disk->disk));
    append(about, flags());
    if (!reply(Reply::info, about)) return false;
    if (sizes_wanted) {
      std::string sizes;
      append(sizes, Info::block_size);
      append(sizes, std::uint32_t{1});
      append(sizes, kPreferredBlock);
      append(sizes, kLargestRead);
      if (!reply(Reply::info, sizes)) return false;
    }
    if (static_cast<Option>(option_) == Option::go) agreed_.disk = disk;
    return reply(Reply::ack);
  }

  bool contexts(Data data) {
    const bool set = static_cast<Option>(option_) == Option::set_meta_context;
    const std::string_view name = data.text();
    const auto count = data.number<std::uint32_t>();
    bool wanted = !set && count == 0;  // a list of none is one of all
    for (std::uint32_t i = 0; i < count && data.ok(); ++i) {
      const std::string_view query = data.text();
      wanted = wanted || query == kAllocation || (!set && query == "base:");
    }
    if (!data.is_whole()) return reply(Reply::invalid, "the option's lengths do not add up");
    if (!agreed_.structured) return reply(Reply::invalid, "structured replies come first");
    const Export *disk = find(name);
    if (disk == nullptr) return reply(Reply::unknown, "there is no export of this name");
    if (set) allocation_of_ = wanted ? disk : nullptr;
    if (wanted) {
      std::string context;
      append(context, set ? kAllocationId : std::uint32_t{0});
      if (!reply(Reply::meta_context, context.append(kAllocation))) return false;
    }
    return reply(Reply::ack);
  }

  Wire &wire_;
  std::span<const Export> exports_;
  std::uint32_t option_ = 0;  // that is being answered
  bool no_zeroes_ = false;
  const Export *allocation_of_ = nullptr;
  Agreed agreed_;
};

}  // namespace

std::optional<Agreed> negotiate(Wire &wire, std::span<const Export> exports) {
  return Negotiation(wire, exports).run();
}

}  // namespace ferry::serve
