// dispatcher/api: what a server needs to speak TLS. OpenSSL's errors become Errors.
#pragma once

#include <memory>
#include <string>

#include "common/error.h"

using SSL_CTX = struct ssl_ctx_st;

namespace netfleet {

// For any thread; connections hold it as long as they last.
using TlsContext = std::shared_ptr<SSL_CTX>;

// TLS 1.2 and 1.3. PEM files: the chain, and its key, which others may not read.
Expected<TlsContext> make_tls_context(const std::string& certificate, const std::string& key);

// The newest thing that OpenSSL has to say; forgets the rest.
std::string openssl_error();

}  // namespace netfleet
