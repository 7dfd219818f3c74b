// ISO 8583 over HTTP: what a request asks the host, and which response an outcome becomes. Pure; any thread may call
// it.
#pragma once

#include "http/handler.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "protocols/iso8583/protocol.hpp"
#include "upstream/protocol.hpp"

#include <boost/system/result.hpp>

namespace causeway::iso8583 {

/// The question that `request` asks: POST / with a message as JSON. Otherwise the response: 404, 405 and 415 as usual;
/// 400 for an invalid message, with the field; 422 for a message that asks for no reply, or whose reply could not be
/// recognized: see `key_for`.
boost::system::result<upstream::question, http::response> question_in(const http::request& request,
                                                                      const settings& settings);

/// Fills in `response`, which is like new: 200 with the host's message, whatever its response code is, or an error that
/// says whether `request`, which has asked a question, was written: if so, its outcome is unknown, and 502 and 504
/// contain field 90 for a reversal if the request can be reversed, which is the case for classes 1 and 2.
///
/// A reply that the dialect cannot read, or that is of another terminal (41), counts as lost.
void respond(const http::request& request, const http::outcome& outcome, const settings& settings,
             http::response& response);

} // namespace causeway::iso8583
