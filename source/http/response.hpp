// The answers that an HTTP client can get, and their bytes.
#pragma once

#include "upstream/answer.hpp"

#include <boost/assert/source_location.hpp>
#include <boost/beast/http/status.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

namespace causeway::http {

/// An answer without what depends on the connection. Its body is a JSON object with one member.
struct response {
    boost::beast::http::status status{};
    std::string_view member;     ///< the member's name; static memory
    std::string text;            ///< the member's value, UTF-8
    std::string_view field = {}; ///< one more header line, with its CRLF, or empty; static memory
};

/// What Boost calls when a `result` holds a response in place of what it is asked for; see `upstream/answer.hpp`.
[[noreturn]] inline void throw_exception_from_error(const response& /*error*/, const boost::source_location& /*place*/)
{
    throw std::logic_error("a refused request was taken for a question");
}

/// 200 with the reply line; bytes in it that are not UTF-8 become U+FFFD (RFC 8259 §8.1).
response found(std::string line);

/// 504 or 503, with `Retry-After` where trying again makes sense (RFC 9110 §10.2.3).
response failed(upstream::failure failure);

/// What becomes of the upstream's answer: one of the two above.
response answered(upstream::answer answer);

/// 400: `problem` says what is wrong with the request.
response bad_request(std::string problem);

/// 404: there is nothing at this path.
response not_found();

/// 405 with `Allow` (RFC 9110 §15.5.6).
response method_not_allowed();

/// An answer with any other status; `problem` says what is wrong.
response refused(boost::beast::http::status status, std::string problem);

/// How a connection takes an answer.
struct framing {
    unsigned version = 11;   ///< the request's, 10 or 11
    bool keep_alive = false; ///< whether the connection stays open after it
    bool head_only = false;  ///< answer to HEAD: the head says what a GET would get, and nothing follows it
};

/// The header line that tells the time of an answer, with its CRLF (RFC 9110 §6.6.1).
std::string date_line(std::chrono::system_clock::time_point now);

/// Appends the answer's body to `output`.
void append_body(const response& response, std::string& output);

/// Appends the answer's bytes to `output`: status line, `date` line, the other fields, and the body.
void append(const response& response, const framing& framing, std::string_view date, std::string& output);

} // namespace causeway::http
