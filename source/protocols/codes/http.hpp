// Codes over HTTP: what a request asks for, and which response an outcome becomes. Pure; any thread may call it.
#pragma once

#include "http/handler.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "protocols/codes/code.hpp"

#include <boost/system/result.hpp>

namespace causeway::codes {

/// The code that `request` asks for, or the response to a request that asks for no code: 400, 404 or 405.
boost::system::result<code, http::response> code_in(const http::request& request);

/// Fills in `response`, which is like new: 200 with the reply line, or 504, 503 or 502 for an `upstream::failure`, with
/// `Retry-After` where trying again makes sense (RFC 9110 §10.2.3).
void respond(const http::outcome& outcome, http::response& response);

} // namespace causeway::codes
