#include "protocols/codes/protocol.hpp"

#include "protocols/codes/reply.hpp"
#include "protocols/codes/request.hpp"

#include <memory>
#include <string>

namespace causeway::codes {
namespace {

class codec final : public upstream::codec {
public:
    std::span<char> space() override { return decoder_.space(); }
    void received(std::size_t count) override { decoder_.received(count); }
    upstream::any_event next() override;
    upstream::event::unreadable unfinished() const override { return {decoder_.unfinished_line(), "a line feed"}; }
    std::string probe() override { return "200\n"; } // any code has an answer

private:
    reply_decoder decoder_;
};

upstream::any_event codec::next()
{
    namespace event = upstream::event;
    if (const auto line = decoder_.next_line()) {
        if (const auto code = code_named_in(*line))
            return event::message{upstream::key(code->text()), *line};
        return event::unreadable{*line, "a line that names its code, such as: Code 404: Not Found"};
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
    return {.make_codec = [] { return std::make_unique<codec>(); }, .shares_keys = true};
}

} // namespace causeway::codes
