#include "base/sha1.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace pinyon {

Sha1::Sha1() : algorithm_(EVP_MD_fetch(nullptr, "SHA1", nullptr)), context_(EVP_MD_CTX_new()) {
  PINYON_CHECK(algorithm_ != nullptr && context_ != nullptr);
}

Sha1::~Sha1() {
  EVP_MD_CTX_free(context_);
  EVP_MD_free(algorithm_);
}

Sha1Digest Sha1::operator()(std::string_view bytes) {
  Sha1Digest digest;
  unsigned length = 0;
  PINYON_CHECK(EVP_DigestInit_ex(context_, algorithm_, nullptr) == 1 &&
               EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1 &&
               EVP_DigestFinal_ex(context_, digest.data(), &length) == 1 && length == digest.size());
  return digest;
}

}  // namespace pinyon
