// SPDX-License-Identifier: Apache-2.0
// Message digests over streams of bytes (OpenSSL's, which uses the processor's instructions).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace ferry {

// What a manifest, a checksum file or a person may call a digest.
struct DigestKind {
  std::string_view name;   // canonical: "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"
  std::size_t hex_digits;  // of its result
};

// The kind of a name in any case, with or without a dash ("sha-256"); nullopt when it is not known.
[[nodiscard]] std::optional<DigestKind> digest_kind(std::string_view name);
// "SHA1, SHA224, SHA256, SHA384 or SHA512", for messages.
[[nodiscard]] std::string known_digests();

class Digest {
 public:
  // Throws Error unsupported for a name that digest_kind() does not know.
  explicit Digest(std::string_view algorithm);
  void update(const void *bytes, std::size_t length);
  // Lower-case hex. Nothing may be added afterwards.
  [[nodiscard]] std::string finish();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st *)> context_;
};

}  // namespace ferry
