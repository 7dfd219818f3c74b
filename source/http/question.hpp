// What a request asks for: the table of what the bridge serves.
#pragma once

#include "codes/code.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"

#include <boost/system/result.hpp>

namespace causeway::http {

/// The code that `request` asks for, or the answer to a request that asks for none: 400, 404 or 405. Pure; any thread
/// may call it.
boost::system::result<codes::code, response> code_in(const request& request);

} // namespace causeway::http
