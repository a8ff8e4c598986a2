// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/digest.hpp"

#include <array>
#include <openssl/evp.h>

#include "model/error.hpp"
#include "model/support/text.hpp"

namespace ferry::verify {

namespace {

const EVP_MD *find(std::string_view algorithm) {
  std::string name = text::lower_ascii(algorithm);
  std::erase(name, '-');
  if (name == "sha1") return EVP_sha1();
  if (name == "sha256") return EVP_sha256();
  if (name == "sha512") return EVP_sha512();
  throw Error(ErrorKind::unsupported, {.message = "a digest of this kind is not known",
                                       .found = text::printable(algorithm),
                                       .expected = "SHA1, SHA256 or SHA512"});
}

void require(int result) {
  if (result != 1) throw Error(ErrorKind::internal, {.message = "OpenSSL refused to compute a digest"});
}

}  // namespace

Digest::Digest(std::string_view algorithm) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  const EVP_MD *kind = find(algorithm);
  if (!context_) throw std::bad_alloc();
  require(EVP_DigestInit_ex(context_.get(), kind, nullptr));
}

void Digest::update(const void *bytes, std::size_t length) { require(EVP_DigestUpdate(context_.get(), bytes, length)); }

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  require(EVP_DigestFinal_ex(context_.get(), raw.data(), &length));
  return text::hex(std::span(raw).first(length));
}

}  // namespace ferry::verify
