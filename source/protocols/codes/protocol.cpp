#include "protocols/codes/protocol.hpp"

#include "protocols/codes/reply.hpp"
#include "protocols/codes/request.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace causeway::codes {
namespace {

// Any code gets an answer, unless it is one that the backend dies of or ignores. So connections take turns with a few
// well-known codes.
constexpr std::array<std::string_view, 5> probes{"200\n", "404\n", "500\n", "301\n", "503\n"};

class codec final : public upstream::codec {
public:
    explicit codec(std::string_view probe)
        : probe_(probe)
    {
    }

    std::span<char> space() override { return decoder_.space(); }
    void received(std::size_t count) override { decoder_.received(count); }
    upstream::any_event next() override;
    upstream::event::unreadable unfinished() const override;
    std::string probe() override { return std::string(probe_); }

private:
    std::string_view probe_; // one of those above
    reply_decoder decoder_;
};

upstream::event::unreadable codec::unfinished() const
{
    const auto line = decoder_.unfinished_line();
    return {line, line.size(), "a line feed"};
}

upstream::any_event codec::next()
{
    namespace event = upstream::event;
    if (const auto line = decoder_.next_line()) {
        if (const auto code = code_named_in(*line))
            return event::message{upstream::key(code->text()), *line};
        return event::unreadable{*line, line->size(), "a line that names its code, such as: Code 404: Not Found"};
    }
    if (decoder_.line_too_long())
        return event::broken{"a reply line is longer than 64 KiB"};
    return event::incomplete{};
}

} // namespace

upstream::question question_for(code code)
{
    upstream::question question{.key = upstream::key(code.text()), .bytes = {}, .repeatable = true};
    append_request(code, question.bytes);
    return question;
}

upstream::protocol protocol()
{
    const auto make_codec = [made = std::size_t{0}]() mutable {
        return std::make_unique<codec>(probes[made++ % probes.size()]);
    };
    return {.make_codec = make_codec, .shares_keys = true};
}

} // namespace causeway::codes
