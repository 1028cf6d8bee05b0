#include "reference/host/authenticators.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>

namespace wavetank::host {

std::string make_token(std::string_view key, UserId user, DeviceIndex device, std::uint32_t generation) {
  std::string subject = fmt::format("{}:{}", user, device);
  if (generation != 0) subject += fmt::format(":{}", generation);
  std::array<unsigned char, EVP_MAX_MD_SIZE> code;
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(subject.data()), subject.size(), code.data(),
           &size) == nullptr) {
    throw std::runtime_error("HMAC-SHA256 failed");
  }
  std::string token;
  for (unsigned int i = 0; i < size; ++i) fmt::format_to(std::back_inserter(token), "{:02x}", code[i]);
  return token;
}

bool SignedTokens::accept(const protocol::Hello& hello) {
  const std::string expected = make_token(key_, hello.user, hello.device, hello.generation);
  const std::string_view given = hello.access_token.view();
  return given.size() == expected.size() && CRYPTO_memcmp(given.data(), expected.data(), given.size()) == 0;
}

}  // namespace wavetank::host
