// Why a client gets an error and a close.
#pragma once

#include <boost/beast/http/status.hpp>

#include <string>

namespace causeway::http {

/// Why bytes are not a request that can be answered. The rest of the connection cannot be trusted after it.
struct refusal {
    boost::beast::http::status status{};
    std::string problem; ///< in words, for the client
};

} // namespace causeway::http
