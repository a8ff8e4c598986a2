// SPDX-License-Identifier: Apache-2.0
// The bytes between a server and one client, and numbers in them.
#pragma once

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "support/file.hpp"

namespace ferry::serve {

// No function of it throws for what the client does: it is gone, then.
class Wire {
 public:
  virtual ~Wire() = default;
  // Fills `length` bytes; false when the client is gone.
  [[nodiscard]] virtual bool read(void *into, std::size_t length) = 0;
  // Sends all, one behind the other.
  [[nodiscard]] virtual bool write(std::span<const std::string_view> parts) = 0;
  // From now on the client may be silent for so long; nullopt: for ever.
  virtual void set_patience(std::optional<std::chrono::milliseconds> patience) = 0;

  [[nodiscard]] bool write(std::string_view bytes) { return write(std::span(&bytes, 1)); }
  // A big-endian number.
  template <class Integer>
  [[nodiscard]] bool read_number(Integer &into);
};

// Over a connected stream socket. The caller sees to it that its process ignores no error: SIGPIPE is never raised.
class SocketWire final : public Wire {
 public:
  explicit SocketWire(file::Descriptor socket) : socket_(std::move(socket)) {}
  using Wire::write;
  [[nodiscard]] bool read(void *into, std::size_t length) override;
  [[nodiscard]] bool write(std::span<const std::string_view> parts) override;
  void set_patience(std::optional<std::chrono::milliseconds> patience) override { patience_ = patience; }

 private:
  [[nodiscard]] bool wait(short events) const;

  file::Descriptor socket_;
  std::optional<std::chrono::milliseconds> patience_;
};

template <class Integer>
[[nodiscard]] constexpr auto as_number(Integer value) {
  if constexpr (std::is_enum_v<Integer>) {
    return static_cast<std::underlying_type_t<Integer>>(value);
  } else {
    return value;
  }
}

// Appends a big-endian number, or an enumerator's.
template <class Integer>
void append(std::string &out, Integer value) {
  const auto number = as_number(value);
  for (std::size_t i = sizeof number; i-- > 0;)
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i)));
}

template <class Integer>
bool Wire::read_number(Integer &into) {
  std::uint8_t raw[sizeof(Integer)];
  if (!read(raw, sizeof raw)) return false;
  std::uint64_t value = 0;
  for (const std::uint8_t byte : raw) value = value << 8U | byte;
  into = static_cast<Integer>(value);
  return true;
}

}  // namespace ferry::serve
