// Exercise 9.1: a codec that greets and keeps a quiet connection awake.
#include "upstream/input_buffer.hpp"
#include "upstream/protocol.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>

using namespace causeway;

namespace {

// [codec]
class codec final : public upstream::codec {
public:
    std::span<char> space() override { return input_.space(); }
    void received(std::size_t count) override { input_.received(count); }

    // Both `welcome` and `pong` answer what the codec itself has said. They answer no question, so they have no key.
    upstream::any_event next() override
    {
        const auto length = input_.unread().find('\n') + 1; // 0 without a line feed
        if (length == 0 && input_.space().empty())
            return upstream::event::broken{"a line is too long"};
        if (length == 0)
            return upstream::event::incomplete{};
        const auto line = input_.take(length);
        if (line == "welcome\n" || line == "pong\n")
            return upstream::event::alive{};
        const auto word = line.substr(0, line.find(':'));
        if (word.size() == line.size() || word.size() > upstream::key::longest)
            return upstream::event::unreadable{line, line.size(), "WORD: EXPLANATION"};
        return upstream::event::message{upstream::key(word), line};
    }

    upstream::event::unreadable unfinished() const override
    {
        return {input_.unread(), input_.unread().size(), "a line feed"};
    }

    std::string greeting() override { return "hello causeway\n"; }
    std::string heartbeat() override { return "ping\n"; }

private:
    upstream::input_buffer input_{1024};
};
// [/codec]

void give(codec& codec, std::string_view bytes)
{
    std::ranges::copy(bytes, codec.space().begin());
    codec.received(bytes.size());
}

template <class Event>
bool next_is(codec& codec)
{
    return std::holds_alternative<Event>(codec.next());
}

bool next_is_a_message_for(codec& codec, std::string_view key)
{
    const auto event = codec.next();
    const auto* message = std::get_if<upstream::event::message>(&event);
    return message != nullptr && message->key.text() == key;
}

} // namespace

int main()
{
    codec codec;
    give(codec, "welcome\npo");
    const bool welcomed = next_is<upstream::event::alive>(codec) && next_is<upstream::event::incomplete>(codec);
    give(codec, "ng\nbridge: it leads over water\nnonsense\n");
    const bool reads_on = next_is<upstream::event::alive>(codec) && next_is_a_message_for(codec, "bridge") &&
                          next_is<upstream::event::unreadable>(codec) && next_is<upstream::event::incomplete>(codec);
    give(codec, std::string(1024, 'x'));
    const bool breaks_off = next_is<upstream::event::broken>(codec);
    return welcomed && reads_on && breaks_off ? 0 : 1;
}
