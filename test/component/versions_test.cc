#include "versions.h"

#include <gtest/gtest.h>
#include <openssl/opensslv.h>
#include <zlib.h>

#include <string_view>

namespace websocket {
namespace {

TEST(Versions, NameTheLinkedLibrariesWithTheMajorVersionOfTheirHeaders) {
  const std::string_view openssl = opensslVersion();
  EXPECT_TRUE(openssl.starts_with("OpenSSL " + std::to_string(OPENSSL_VERSION_MAJOR) + ".")) << openssl;
  const std::string_view zlib = zlibVersion();
  EXPECT_EQ(zlib.front(), ZLIB_VERSION[0]) << zlib;
  EXPECT_NE(zlib.find('.'), std::string_view::npos) << zlib;
}

}  // namespace
}  // namespace websocket
