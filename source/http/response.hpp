// An HTTP response, and its bytes.
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/beast/http/status.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

namespace causeway::http {

/// A response, without the parts that depend on the connection.
struct response {
    static constexpr std::string_view json = "application/json"; ///< the usual `content_type`

    boost::beast::http::status status = boost::beast::http::status::ok; ///< the status code
    std::string_view content_type = json;                               ///< static memory
    std::string fields = {};                                            ///< further header lines, each with its CRLF
    std::string body = {};                                              ///< in `content_type`

    /// Resets it, keeping its memory.
    void clear();
};

/// Boost.System calls it when the value of a `result<T, response>` is requested although it holds a response: a bug in
/// the program. `value()` checks for that, and from Boost 1.92 on `operator*` too.
[[noreturn]] inline void throw_exception_from_error(const response& /*error*/, const boost::source_location& /*place*/)
{
    throw std::logic_error("a result that holds a response was asked for its value");
}

/// An error with a JSON body, `{"error":"<problem>"}`. Every error of the server has this form, wherever it was found.
response refused(boost::beast::http::status status, std::string_view problem);

/// The same with 405, and `allowed` in the field Allow: the supported methods, such as `GET, HEAD` (RFC 9110 §15.5.6).
response method_not_allowed(std::string_view allowed);

/// The same with 503 and Retry-After, for what may work a second later (RFC 9110 §10.2.3).
response not_now(std::string_view problem);

/// How a connection frames an answer.
struct framing {
    unsigned version = 11;            ///< the request's, 10 or 11
    bool keep_alive = false;          ///< whether the connection stays open after it
    bool head_only = false;           ///< answer to HEAD: the header section is that of a GET, and no body follows
    std::string_view request_id = {}; ///< for the field X-Request-Id; none when it is empty
    bool has_length = true;           ///< otherwise the body goes on until the connection ends (RFC 9112 §6.3, no. 8)
};

/// The header line with the time of an answer, with its CRLF (RFC 9110 §6.6.1).
std::string date_line(std::chrono::system_clock::time_point now);

/// Appends the answer's bytes to `output`: status line, `date` line, the other fields, and the body. An answer 204 or
/// 304 has neither a body nor its type and length (RFC 9110 §8.6).
void append(const response& response, const framing& framing, std::string_view date, std::string& output);

} // namespace causeway::http
