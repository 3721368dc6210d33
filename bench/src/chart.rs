//! A bar chart of proving times, on a logarithmic scale, as SVG.

/// Proving times of a model in seconds.
pub struct Bar {
    pub title: String,
    pub ours: f64,
    /// The peer's, if it finished.
    pub peer: Option<f64>,
}

const WIDTH: f64 = 860.0;
/// Where bars begin and how far they may reach.
const LEFT: f64 = 330.0;
const RIGHT: f64 = 790.0;
const ROW: f64 = 46.0;
const TOP: f64 = 44.0;
/// The scale's ends in powers of ten seconds: 1 ms to 1000 s.
const DECADES: (i32, i32) = (-3, 3);
const OURS: &str = "#2563eb";
const PEER: &str = "#9ca3af";

/// The chart.
pub fn svg(bars: &[Bar]) -> String {
    let height = TOP + ROW * bars.len() as f64 + 16.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for decade in DECADES.0..=DECADES.1 {
        let at = position(10f64.powi(decade));
        let label = match decade {
            ..0 => format!("{} ms", 10i32.pow((decade + 3) as u32)),
            _ => format!("{} s", 10i32.pow(decade as u32)),
        };
        out += &format!(
            "<line x1=\"{at}\" y1=\"{TOP}\" x2=\"{at}\" y2=\"{}\" stroke=\"#e5e7eb\"/>\n{}",
            height - 12.0,
            text(at, TOP - 8.0, "middle", "#6b7280", &label)
        );
    }
    out += &text(10.0, 18.0, "start", OURS, "■ Ciro, preset fast");
    out += &text(170.0, 18.0, "start", PEER, "■ EZKL");
    for (row, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * row as f64 + 8.0;
        out += &text(LEFT - 12.0, y + 20.0, "end", "#111827", &bar.title);
        out += &stripe(y, OURS, Some(bar.ours));
        out += &stripe(y + 16.0, PEER, bar.peer);
    }
    out + "</svg>\n"
}

/// A bar with its value, or the words that there is none.
fn stripe(y: f64, colour: &str, seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else {
        return text(
            LEFT + 4.0,
            y + 11.0,
            "start",
            "#6b7280",
            "no proof within the limits, or not run",
        );
    };
    let end = position(seconds);
    let value = match seconds {
        ..1.0 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    };
    format!(
        "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{:.1}\" height=\"13\" fill=\"{colour}\"/>\n{}",
        end - LEFT,
        text(end + 5.0, y + 11.0, "start", "#111827", &value)
    )
}

fn position(seconds: f64) -> f64 {
    let (from, to) = (f64::from(DECADES.0), f64::from(DECADES.1));
    let share = (seconds.log10() - from) / (to - from);
    LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0)
}

fn text(x: f64, y: f64, anchor: &str, colour: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{words}</text>\n")
}
