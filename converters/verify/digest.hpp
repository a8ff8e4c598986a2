// SPDX-License-Identifier: Apache-2.0
// Message digests over streams of bytes (OpenSSL's, which uses the processor's instructions).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace ferry::verify {

class Digest {
 public:
  // "sha1", "sha256" or "sha512", in any case and with or without a dash. Throws Error unsupported for others.
  explicit Digest(std::string_view algorithm);
  void update(const void *bytes, std::size_t length);
  // Lower-case hex. Nothing may be added afterwards.
  [[nodiscard]] std::string finish();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st *)> context_;
};

}  // namespace ferry::verify
