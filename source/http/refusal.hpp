// Why a client gets an error and its connection is closed.
#pragma once

#include <boost/beast/http/status.hpp>

#include <string>

namespace causeway::http {

/// Why bytes are not a request that can be answered. After that, the rest of the connection cannot be trusted.
struct refusal {
    boost::beast::http::status status{}; ///< of the answer
    std::string problem;                 ///< in words, for the client
};

} // namespace causeway::http
