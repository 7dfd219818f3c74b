// ISO 8583 over HTTP: what a request asks the host, and what becomes of the outcome. Pure; any thread may call it.
#pragma once

#include "http/handler.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "protocols/iso8583/protocol.hpp"
#include "upstream/protocol.hpp"

#include <boost/system/result.hpp>

namespace causeway::iso8583 {

/// The question that `request` asks: POST / with a message as JSON. Otherwise the response: 404, 405 and 415 as usual;
/// 400 for what is no message of the dialect, with the field; 422 for a message that asks for no reply, or whose reply
/// would not be known: see `key_for`.
boost::system::result<upstream::question, http::response> question_in(const http::request& request,
                                                                      const settings& settings);

/// Fills in `response`, which is like new: 200 with the host's message, whatever its response code is, or an error that
/// says whether `request`, which has asked a question, was written: then its outcome is unknown, and with 502 and 504
/// comes field 90 for a reversal if it can be reversed, which requests of classes 1 and 2 can.
///
/// A reply that the dialect cannot read, or of another terminal (41), is answered as lost.
void respond(const http::request& request, const http::outcome& outcome, const settings& settings,
             http::response& response);

} // namespace causeway::iso8583
