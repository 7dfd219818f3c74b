// What the bytes mean: how HTTP asks for a code, which code a reply is for, and what an answer looks like.
#pragma once

#include "asio.hpp"

#include <boost/json.hpp>

#include <optional>
#include <regex>
#include <string>
#include <string_view>

namespace guide {

// The code that a client asks for.
inline std::optional<std::string> code_in(const std::string& target)
{
    static const std::regex form("/\\?statusCode=([0-9A-Za-z]{3})");
    std::smatch found;
    return std::regex_match(target, found, form) ? std::optional(found[1].str()) : std::nullopt;
}

// The code that a reply is for: `Code 404: Not Found, …`, or `I dont know about code "xyz" …`.
inline std::optional<std::string> code_of(const std::string& reply)
{
    static const std::regex form("[Cc]ode \"?([0-9A-Za-z]{3})");
    std::smatch found;
    return std::regex_search(reply, found, form) ? std::optional(found[1].str()) : std::nullopt;
}

// An answer with a JSON object of one member.
inline http_response respond(const http_request& request, http::status status, std::string_view name,
                             std::string_view value)
{
    http_response response(status, request.version());
    response.set(http::field::content_type, "application/json");
    response.keep_alive(request.keep_alive());
    response.body() = boost::json::serialize(boost::json::object{{name, value}});
    response.prepare_payload();
    return response;
}

} // namespace guide
