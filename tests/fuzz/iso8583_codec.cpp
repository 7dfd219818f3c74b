// A host's bytes: the events are the same however the stream is cut, and what the log may show of them is short.
#include "pieces.hpp"
#include "protocols/iso8583/protocol.hpp"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace {

namespace iso = causeway::iso8583;
namespace upstream = causeway::upstream;
using causeway::fuzz::require;

std::chrono::system_clock::time_point at_no_time() { return {}; }

std::string text_of(const upstream::event::incomplete&) { return {}; }
std::string text_of(const upstream::event::alive&) { return {}; }
std::string text_of(const upstream::event::to_answer& event) { return std::string(event.bytes); }
std::string text_of(const upstream::event::broken& event) { return std::string(event.reason); }

std::string text_of(const upstream::event::message& event)
{
    return std::string(event.key.text()).append("/").append(event.bytes);
}

std::string text_of(const upstream::event::unreadable& event)
{
    require(event.shown.size() <= 80);
    return std::string(event.shown).append("/").append(event.expected) + "/" + std::to_string(event.size);
}

std::vector<std::string> events_in(const std::vector<std::string_view>& pieces)
{
    static const auto protocol = iso::protocol({.dialect = iso::dialect::built_in("postilion")}, at_no_time);
    static const auto make_codec = protocol.make_codec; // copied for each run, so that all begin with the same number
    const auto codec = std::function(make_codec)();
    codec->greeting();
    std::vector<std::string> events;
    for (auto piece : pieces) {
        while (!piece.empty()) {
            const auto space = codec->space();
            require(!space.empty());
            const auto count = std::min(space.size(), piece.size());
            std::copy_n(piece.begin(), count, space.begin());
            piece.remove_prefix(count);
            codec->received(count);
            for (auto event = codec->next(); !std::holds_alternative<upstream::event::incomplete>(event);
                 event = codec->next()) {
                const auto text = std::visit([](const auto& one) { return text_of(one); }, event);
                events.push_back(std::to_string(event.index()) + text);
                if (std::holds_alternative<upstream::event::broken>(event))
                    return events;
            }
        }
    }
    return events;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    require(events_in(causeway::fuzz::pieces(data, size)) == events_in({causeway::fuzz::whole(data, size)}));
    return 0;
}
