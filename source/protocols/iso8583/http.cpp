#include "protocols/iso8583/http.hpp"

#include "http/target.hpp"
#include "protocols/iso8583/json.hpp"
#include "upstream/outcome.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/url/grammar/digit_chars.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace causeway::iso8583 {
namespace {

using boost::beast::http::status;
using boost::beast::http::verb;

// The type alone, without parameters (RFC 9110 §8.3.1).
bool is_json(std::string_view content_type)
{
    const auto type = content_type.substr(0, content_type.find(';'));
    return boost::beast::iequals(type.substr(0, type.find_last_not_of(" \t") + 1), http::response::json);
}

http::response refused(status status, const problem& problem) { return http::refused(status, in_words(problem)); }

// The value of a field, padded with zeros on the left; only zeros when there is none, or it is not such a number.
std::string in_digits(const message& message, unsigned number, std::size_t digits)
{
    const auto* text = text_of(message, number);
    if (text == nullptr || text->size() > digits || !std::ranges::all_of(*text, boost::urls::grammar::digit_chars))
        return std::string(digits, '0');
    return std::string(digits - text->size(), '0') + *text;
}

// Only what authorizes or moves money can be reversed.
bool can_be_reversed(std::string_view mti) { return mti.substr(1, 1) == "1" || mti.substr(1, 1) == "2"; }

// Field 90, original data elements: MTI, trace number, transmission time, acquirer and forwarding institution.
std::string original_data(const message& message)
{
    return message.mti + in_digits(message, 11, 6) + in_digits(message, 7, 10) + in_digits(message, 32, 11) +
           in_digits(message, 33, 11);
}

// Adds members to the object in the body.
void add(std::string_view members, http::response& response)
{
    response.body.pop_back();
    response.body.append(",").append(members).append("}");
}

// It was written, and its outcome is unknown.
http::response unknown_outcome(status status, std::string_view why, const http::request& request)
{
    auto response = http::refused(status, why);
    add(R"("sent":true)", response);
    if (const auto message = from_json(request.body); message && can_be_reversed(message->mti))
        add(fmt::format(R"("reversal":{{"90":"{}"}})", original_data(*message)), response);
    return response;
}

http::response lost(const http::request& request)
{
    return unknown_outcome(status::bad_gateway, "connection lost", request);
}

http::response not_sent(http::response response)
{
    add(R"("sent":false)", response);
    return response;
}

http::response failed(const http::request& request, const boost::system::error_code& error)
{
    if (error.category() != upstream::failure_category())
        return http::refused(status::internal_server_error, error.message());
    const auto why = upstream::why_failed(error);
    if (upstream::was_written(error))
        return why == upstream::failure::timed_out ? unknown_outcome(status::gateway_timeout, "timedout", request)
                                                   : lost(request); // also when the bridge was stopped
    switch (why) {
    case upstream::failure::timed_out:
        return not_sent(http::refused(status::gateway_timeout, "timedout"));
    case upstream::failure::unavailable:
        return not_sent(http::not_now("unavailable"));
    case upstream::failure::overloaded:
        return not_sent(http::not_now("overloaded"));
    case upstream::failure::connection_lost:
        return not_sent(http::refused(status::bad_gateway, "connection lost"));
    case upstream::failure::duplicate:
        return http::refused(status::conflict,
                             "duplicate"); // not written, although the request that has its key may have been
    }
    return http::refused(status::internal_server_error, error.message());
}

} // namespace

boost::system::result<upstream::question, http::response> question_in(const http::request& request,
                                                                      const settings& settings)
{
    const auto target = http::parse_target(request.method, request.target);
    if (target && !http::is_root(*target))
        return http::refused(status::not_found, "not found");
    if (request.method != verb::post)
        return http::method_not_allowed("POST");
    if (!target)
        return http::refused(status::bad_request, "the request target is not a valid URL");
    if (!is_json(request.content_type))
        return http::refused(status::unsupported_media_type, "send a message as application/json");
    const auto message = from_json(request.body);
    if (!message)
        return refused(status::bad_request, message.error());
    if (const auto key = key_for(*message, settings.key_fields); !key)
        return refused(status::unprocessable_entity, key.error());
    auto question = question_for(*message, settings);
    if (!question)
        return refused(status::bad_request, question.error());
    return *std::move(question);
}

namespace {

// Whether `reply` can be for `asked`, as the host has read that: where the dialect has padding, what the client wrote
// may differ from it.
bool can_be_for(const message& asked, const message& reply, const dialect& dialect)
{
    if (are_of_one_terminal(asked, reply))
        return true;
    const auto packed = dialect.pack(asked);
    const auto read = packed ? dialect.unpack(*packed) : packed.error();
    return read && are_of_one_terminal(*read, reply);
}

} // namespace

void respond(const http::request& request, const http::outcome& outcome, const settings& settings,
             http::response& response)
{
    if (!outcome) {
        response = failed(request, outcome.error());
        return;
    }
    const auto reply = settings.dialect.unpack(*outcome);
    const auto asked = from_json(request.body);
    if (reply && asked && can_be_for(*asked, *reply, settings.dialect))
        append_json(*reply, response.body);
    else
        response = lost(request);
}

} // namespace causeway::iso8583
