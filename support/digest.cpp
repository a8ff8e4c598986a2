// SPDX-License-Identifier: Apache-2.0
#include "support/digest.hpp"

#include <algorithm>
#include <array>
#include <openssl/evp.h>

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry {

namespace {

struct Algorithm {
  DigestKind kind;
  const EVP_MD *(*implementation)();
};
constexpr std::array kAlgorithms = {
    Algorithm{{"SHA1", 40}, &EVP_sha1},      Algorithm{{"SHA224", 56}, &EVP_sha224},
    Algorithm{{"SHA256", 64}, &EVP_sha256},  Algorithm{{"SHA384", 96}, &EVP_sha384},
    Algorithm{{"SHA512", 128}, &EVP_sha512},
};

const Algorithm *find(std::string_view name) {
  std::string plain(text::trim(name));
  std::erase(plain, '-');
  const auto *hit = std::ranges::find_if(
      kAlgorithms, [&](const Algorithm &candidate) { return text::iequals_ascii(candidate.kind.name, plain); });
  return hit == kAlgorithms.end() ? nullptr : hit;
}

void require(int result) {
  if (result != 1) throw Error(ErrorKind::internal, {.message = "OpenSSL refused to compute a digest"});
}

}  // namespace

std::optional<DigestKind> digest_kind(std::string_view name) {
  const Algorithm *algorithm = find(name);
  return algorithm == nullptr ? std::nullopt : std::optional(algorithm->kind);
}

std::string known_digests() {
  std::string out;
  for (const Algorithm &algorithm : kAlgorithms) {
    if (!out.empty()) out += &algorithm == &kAlgorithms.back() ? " or " : ", ";
    out += algorithm.kind.name;
  }
  return out;
}

Digest::Digest(std::string_view algorithm) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  const Algorithm *known = find(algorithm);
  if (known == nullptr) {
    throw Error(ErrorKind::unsupported, {.message = "the digest algorithm is not known",
                                         .found = text::printable(algorithm),
                                         .expected = known_digests()});
  }
  if (!context_) throw std::bad_alloc();
  require(EVP_DigestInit_ex(context_.get(), known->implementation(), nullptr));
}

void Digest::update(const void *bytes, std::size_t length) { require(EVP_DigestUpdate(context_.get(), bytes, length)); }

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  require(EVP_DigestFinal_ex(context_.get(), raw.data(), &length));
  return text::hex(std::span(raw).first(length));
}

}  // namespace ferry
