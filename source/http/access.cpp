#include "http/access.hpp"

#include "http/characters.hpp"

#include <utility>

namespace causeway::http {
namespace {

constexpr character_set id_chars(boost::urls::grammar::alnum_chars + boost::urls::grammar::lut_chars("._-"));

bool is_sane_id(std::string_view id)
{
    return !id.empty() && id.size() <= access::longest_id && id_chars.prefix(id) == id.size();
}

} // namespace

void access::restart()
{
    id.clear();
    method = {};
    began_at = {};
    trace = {};
    was_offered_id_ = false;
}

void access::note_details()
{
    if (details_)
        *details_ = {};
    else
        details_ = std::make_unique<net::trace_details>();
    trace.details = details_.get();
}

void access::came(clock::time_point now)
{
    if (began_at == clock::time_point())
        began_at = now;
    trace.read_at = now;
}

void access::set_method(boost::beast::http::verb known, std::string_view text)
{
    if (known == boost::beast::http::verb::unknown)
        method = unknown_method_.assign(text);
    else
        method = boost::beast::http::to_string(known);
}

void access::offer_id(std::string_view value)
{
    const bool is_first = !std::exchange(was_offered_id_, true);
    id.assign(is_first && is_sane_id(value) ? value : "");
}

} // namespace causeway::http
