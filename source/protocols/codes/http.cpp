#include "protocols/codes/http.hpp"

#include "http/json.hpp"
#include "http/target.hpp"
#include "upstream/outcome.hpp"

#include <boost/url/decode_view.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace causeway::codes {
namespace {

namespace urls = boost::urls;
using boost::beast::http::status;
using boost::beast::http::verb;

constexpr std::string_view parameter_name = "statusCode";

http::response bad_request(std::string_view problem) { return http::refused(status::bad_request, problem); }

// One pass over the parameters, which decodes only what it compares.
boost::system::result<code, http::response> code_in_query(const urls::url_view& target)
{
    std::size_t found = 0;
    std::optional<code> asked;
    for (const auto parameter : target.encoded_params()) {
        if (*parameter.key != parameter_name)
            continue;
        ++found;
        const auto value = *parameter.value;
        std::array<char, code::size> text{};
        if (value.size() == text.size()) {
            std::ranges::copy(value, text.begin());
            asked = code::parse({text.data(), text.size()});
        }
    }
    if (found == 0)
        return bad_request("statusCode is missing: ask for example for /?statusCode=404");
    if (found > 1)
        return bad_request("statusCode is given more than once: ask for one code at a time");
    if (!asked)
        return bad_request("statusCode is not a code: it must be exactly three letters or digits");
    return *asked;
}

// Exactly what nearly all clients send; it needs no parser.
std::optional<code> code_in_plain_target(std::string_view target)
{
    constexpr std::string_view before_the_code = "/?statusCode=";
    if (!target.starts_with(before_the_code))
        return std::nullopt;
    return code::parse(target.substr(before_the_code.size()));
}

http::response failed(const boost::system::error_code& error)
{
    if (error.category() != upstream::failure_category())
        return http::refused(status::internal_server_error, error.message());
    switch (upstream::why_failed(error)) {
    case upstream::failure::timed_out:
        return http::refused(status::gateway_timeout, "timedout");
    case upstream::failure::unavailable:
        return http::not_now("unavailable");
    case upstream::failure::overloaded:
        return http::not_now("overloaded");
    case upstream::failure::connection_lost:
        return http::refused(status::bad_gateway, "connection lost");
    case upstream::failure::duplicate: // does not happen, because codes share their keys
        break;
    }
    return http::refused(status::internal_server_error, error.message());
}

} // namespace

boost::system::result<code, http::response> code_in(const http::request& request)
{
    const bool is_question = request.method == verb::get || request.method == verb::head;
    if (const auto asked = code_in_plain_target(request.target); asked && is_question)
        return *asked;

    const auto target = http::parse_target(request.method, request.target);
    if (target && !http::is_root(*target))
        return http::refused(status::not_found, "not found");
    if (!is_question)
        return http::method_not_allowed("GET, HEAD");
    if (!target)
        return bad_request("the request target is not a valid URL");
    return code_in_query(*target);
}

void respond(const http::outcome& outcome, http::response& response)
{
    if (outcome)
        http::append_json("data", *outcome, response.body);
    else
        response = failed(outcome.error());
}

} // namespace causeway::codes
