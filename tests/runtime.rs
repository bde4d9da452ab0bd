//! The loop of `tui::runtime` with a small screen of its own: when it draws, what becomes of
//! effects and stale answers, what a tiny window does, and what ends it.

#![expect(clippy::panic, clippy::expect_used, reason = "the helpers of these tests may fail the test")]

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use futures::FutureExt;
use futures::future::BoxFuture;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Paragraph;
use servery::domain::time::Timestamp;
use servery::tui::app::{App, Cmd, Env, Hit, Input, Latest, RequestId, Requests, ViewCtx};
use servery::tui::keymap::{Action, Context};
use servery::tui::runtime::Exit;
use servery::tui::testing::{Harness, LIMIT, Running, TestClock};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

const SIZE: Size = Size::new(80, 24);

/// Counts, asks, ticks and fails on demand.
#[derive(Debug, Default)]
struct Demo {
    requests: Requests,
    answer: Latest<&'static str>,
    count: i64,
    ticks: u64,
    moving: bool,
    failures: u64,
    store_changes: u64,
    pasted: String,
    clicked: Option<Hit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Question {
    Ask(RequestId),
    Panic,
}

#[derive(Debug, Clone)]
struct Answered(RequestId, &'static str);

impl App for Demo {
    type Msg = Answered;
    type Effect = Question;

    fn update(&mut self, input: Input<Answered>, env: &Env<'_>) -> Vec<Cmd<Question>> {
        match input {
            Input::Key(press) => match env.keymap.resolve(self.context(), press) {
                Some(Action::Up) => self.count += 1,
                Some(Action::Down) => self.count -= 1,
                Some(Action::Select) => return vec![Cmd::Effect(Question::Ask(self.answer.ask(&mut self.requests)))],
                Some(Action::Back) => return vec![Cmd::Effect(Question::Panic)],
                Some(Action::NextPane) => self.moving = !self.moving,
                Some(Action::Home) => return vec![Cmd::Redraw, Cmd::Bell, Cmd::Title("Servery")],
                Some(Action::Quit) => return vec![Cmd::Quit(7)],
                Some(Action::Digit(0)) => panic!("a screen that panics"),
                _ => return vec![Cmd::Unchanged],
            },
            Input::Msg(Answered(id, words)) => {
                let fresh = self.answer.answer(id, words);
                return if fresh { Vec::new() } else { vec![Cmd::Unchanged] };
            }
            Input::EffectFailed => {
                self.failures += 1;
                self.answer.give_up();
            }
            Input::Tick => self.ticks += 1,
            Input::StoreChanged => self.store_changes += 1,
            Input::Paste(pasted) => self.pasted = pasted,
            Input::Click { hit, .. } => self.clicked = hit,
            _ => {}
        }
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        let lines = format!(
            "count={}\nanswer={}\nticks={}\nfailures={}\nchanges={}\npasted={}\nclicked={:?}",
            self.count,
            self.answer.get().unwrap_or(&"none"),
            self.ticks,
            self.failures,
            self.store_changes,
            self.pasted.len(),
            self.clicked,
        );
        frame.render_widget(Paragraph::new(lines), frame.area());
        ctx.hit(Rect::new(0, 0, 10, 1), Hit::Row { list: "demo", index: 3 });
    }

    fn tick(&self) -> Option<Duration> {
        self.moving.then(|| Duration::from_millis(20))
    }

    fn context(&self) -> Context {
        Context::Launcher
    }
}

type Senders = Arc<Mutex<HashMap<RequestId, oneshot::Sender<&'static str>>>>;

/// Effects that are answered when the test says so.
fn answered_by_hand(senders: &Senders) -> impl Fn(Question) -> BoxFuture<'static, Answered> + Send + Sync + 'static {
    let senders = Arc::clone(senders);
    move |question| {
        let senders = Arc::clone(&senders);
        async move {
            match question {
                Question::Ask(id) => {
                    let (sender, answer) = oneshot::channel();
                    senders.lock().expect("senders").insert(id, sender);
                    Answered(id, answer.await.unwrap_or("dropped"))
                }
                Question::Panic => panic!("an effect that panics"),
            }
        }
        .boxed()
    }
}

async fn start(senders: &Senders) -> Running<Answered> {
    let running =
        Running::start(Demo::default(), SIZE, Arc::new(TestClock::default()), answered_by_hand(senders)).await;
    running.wait_for("count=0").await;
    running
}

/// Waits until the effect of this request runs, and takes what answers it.
async fn sender(senders: &Senders, id: RequestId) -> oneshot::Sender<&'static str> {
    let found = async {
        loop {
            if let Some(sender) = senders.lock().expect("senders").remove(&id) {
                return sender;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, found).await.expect("the effect runs")
}

#[tokio::test]
async fn a_flood_of_keys_is_drawn_once_and_idle_means_no_frame() {
    let running = start(&Senders::default()).await;
    let before = running.handle.frames();
    // One thread: the loop sees the whole flood at once.
    running.keys(&"up ".repeat(100));
    running.wait_for("count=100").await;
    assert_eq!(running.handle.frames() - before, 1, "a batch is one frame");
    // Keys that change nothing make no frame; the last one proves that they were taken.
    running.keys(&"left ".repeat(50));
    running.keys("up");
    running.wait_for("count=101").await;
    assert_eq!(running.handle.frames() - before, 2);
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(running.handle.frames() - before, 2, "nothing happens, nothing is drawn");
}

#[tokio::test(start_paused = true)]
async fn a_tick_exists_only_while_something_moves() {
    let running = start(&Senders::default()).await;
    let before = running.handle.frames();
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::task::yield_now().await;
    assert_eq!(running.handle.frames(), before, "an hour without a frame");
    running.keys("tab");
    running.wait_for("ticks=5").await;
    running.keys("tab up");
    running.wait_for("count=1").await;
    let after = running.handle.frames();
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::task::yield_now().await;
    assert_eq!(running.handle.frames(), after);
}

#[tokio::test]
async fn only_the_newest_answer_is_shown() {
    let senders = Senders::default();
    let running = start(&senders).await;
    running.keys("enter enter");
    let first = sender(&senders, RequestId(1)).await;
    let second = sender(&senders, RequestId(2)).await;
    second.send("new").expect("the effect waits");
    running.wait_for("answer=new").await;
    first.send("stale").expect("the effect waits");
    running.keys("enter");
    let third = sender(&senders, RequestId(3)).await;
    assert!(running.screen().contains("answer=new"), "{}", running.screen());
    third.send("newest").expect("the effect waits");
    let seen = running.wait_for("answer=newest").await;
    assert!(!seen.contains("stale"));
}

#[tokio::test]
async fn a_panic_in_an_effect_is_told_and_the_screen_lives_on() {
    let running = start(&Senders::default()).await;
    running.keys("esc");
    running.wait_for("failures=1").await;
    running.keys("up");
    running.wait_for("count=1").await;
}

#[tokio::test]
async fn a_tiny_window_asks_for_a_larger_one_and_keys_do_nothing_unseen() {
    let running = start(&Senders::default()).await;
    running.resize(20, 5);
    running.wait_for("Please make the").await;
    running.keys("up up enter esc");
    running.handle.store_changed();
    running.resize(1, 1);
    running.resize(0, 0);
    running.resize(65535, 65535);
    running.resize(80, 24);
    let seen = running.wait_for("changes=1").await;
    assert!(seen.contains("count=0") && seen.contains("failures=0"), "{seen}");
    running.resize(20, 5);
    running.wait_for("Please make the").await;
    running.keys("q");
    assert_eq!(running.ended().await.expect("ended"), Exit::Quit(7));
}

#[tokio::test]
async fn notes_of_the_store_are_heard_once_however_often_they_are_said() {
    let running = start(&Senders::default()).await;
    for _ in 0..10_000 {
        running.handle.store_changed();
    }
    running.keys("up");
    let seen = running.wait_for("count=1").await;
    assert!(seen.contains("changes=1"), "{seen}");
    running.handle.store_changed();
    running.wait_for("changes=2").await;
}

#[tokio::test]
async fn released_keys_are_nothing_and_only_arrows_repeat() {
    let running = start(&Senders::default()).await;
    let key = |code, kind| Event::Key(KeyEvent::new_with_kind(code, KeyModifiers::empty(), kind));
    running.event(key(KeyCode::Up, KeyEventKind::Press));
    running.event(key(KeyCode::Up, KeyEventKind::Repeat));
    running.event(key(KeyCode::Up, KeyEventKind::Release));
    running.event(key(KeyCode::Esc, KeyEventKind::Repeat));
    running.event(key(KeyCode::Esc, KeyEventKind::Release));
    running.event(key(KeyCode::Tab, KeyEventKind::Release));
    let seen = running.wait_for("count=2").await;
    assert!(seen.contains("failures=0"), "{seen}");
}

#[tokio::test]
async fn pastes_are_capped_and_clicks_say_what_they_hit() {
    let running = start(&Senders::default()).await;
    running.event(Event::Paste("é".repeat(1_000_000)));
    running.wait_for("pasted=8192").await;
    running.event(Event::Paste("\u{1b}[31mq\u{202e}".to_owned()));
    running.wait_for("pasted=5").await;
    let click = |column, row| MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column,
        row,
        modifiers: KeyModifiers::empty(),
    };
    running.event(Event::Mouse(click(4, 0)));
    running.wait_for("index: 3").await;
    running.event(Event::Mouse(click(60, 20)));
    running.wait_for("clicked=None").await;
}

#[tokio::test]
async fn it_ends_when_stopped_when_asked_and_when_nobody_is_there() {
    let running = start(&Senders::default()).await;
    running.stop.cancel();
    assert_eq!(running.ended().await.expect("ended"), Exit::Stopped);
    let running = start(&Senders::default()).await;
    running.keys("home q");
    assert_eq!(running.ended().await.expect("ended"), Exit::Quit(7));
    let mut running = start(&Senders::default()).await;
    running.hang_up();
    assert_eq!(running.ended().await.expect("ended"), Exit::InputClosed);
}

#[test]
fn the_harness_follows_the_rules_of_the_loop() {
    let mut demo = Harness::new(Demo::default(), 80, 24, Timestamp(0));
    demo.keys("up up enter");
    assert_eq!(demo.take_effects(), [Question::Ask(RequestId(1))]);
    demo.message(Answered(RequestId(9), "stale"));
    demo.message(Answered(RequestId(1), "hello"));
    assert!(demo.screen().contains("answer=hello"));
    demo.click_on("count=2");
    assert!(demo.screen().contains("index: 3"));
    demo.advance(5);
    assert_eq!(demo.app.ticks, 0);
    demo.keys("tab");
    demo.advance(5);
    assert_eq!(demo.app.ticks, 1);
    demo.resize(20, 5);
    demo.keys("up");
    assert_eq!((demo.app.count, demo.quit()), (2, None));
    assert!(demo.screen().contains("Please make the"));
    demo.keys("q");
    assert_eq!(demo.quit(), Some(7));
}
